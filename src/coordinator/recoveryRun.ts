import { rm } from 'node:fs/promises';
import { fileProblem } from '../files/fileProblem.ts';
import { hashOfState, keepStates } from '../files/stateFiles.ts';
import { EspalierError } from '../base/errors.ts';
import { planInputs } from '../experiment/planInputs.ts';
import type { PerplexityResult } from '../experiment/resultSchema.ts';
import { fileOfRun } from '../runs/runPath.ts';
import { stateFile } from '../files/stateFiles.ts';
import type { FinalistEvent } from '../search/lifecycle/events.ts';
import type { RecoveryEffects } from '../search/recovery/effects.ts';
import type {
  RecoveryEvent,
  RecoveryOpening,
  StoppedEvent,
  Trained,
  TrainedEvent,
  ValidatedEvent,
} from '../search/recovery/events.ts';
import { AFTER, BEFORE } from '../search/recovery/finalists.ts';
import type { RecoveryPlan } from '../search/recovery/plan.ts';
import { recoveryReport } from '../search/recovery/report.ts';
import { runRecovery } from '../search/recovery/runRecovery.ts';
import type { RecoveryOutcome } from '../search/recovery/runRecovery.ts';
import { askOne } from './askOne.ts';
import { checkSame } from './divergence.ts';
import { asPlanned, evaluateFinalists } from './finalists.ts';
import { Pace } from './pace.ts';
import type { Drive, EndOf, SearchRun } from './searchRun.ts';

/**
 * A recovery, in one worker. Its states lie in the run's folder: the last one, and the best. One is on the disk before the journal tells of the steps
 * that led to it, so a run that goes on finds what it needs; a state that is gone all the same, or is not what it was, is trained again from
 * the last good one, and has to come out the same.
 */
export class RecoveryRun implements SearchRun<'recovery'> {
  private readonly plan: RecoveryPlan;
  private readonly folder: string;
  /** What the journal has: by the steps that were done before, and at a look. */
  private readonly trained = new Map<number, TrainedEvent>();
  private readonly validated = new Map<number, ValidatedEvent>();
  private stopped: StoppedEvent | undefined;
  private readonly finalists: FinalistEvent[] = [];
  /** States that are known to be as they should. */
  private readonly sound = new Set<number>([0]);

  /**
   * @param plan with absolute paths
   * @param folder of the run, absolute
   */
  constructor(plan: RecoveryPlan, folder: string) {
    this.plan = plan;
    this.folder = folder;
  }

  get measured(): boolean {
    return this.trained.size > 0;
  }

  recall(event: RecoveryEvent): void {
    if (event.kind === 'trained') this.trained.set(event.from, event);
    else if (event.kind === 'validated') this.validated.set(event.step, event);
    else if (event.kind === 'stopped') this.stopped = event;
    else if (event.kind === 'finalist') this.finalists.push(event);
  }

  async run(opening: RecoveryOpening, drive: Drive<'recovery'>): Promise<EndOf<'recovery'>> {
    const outcome = await runRecovery(this.plan, this.effects(drive), { opening, signal: drive.signal });
    await this.needState(outcome.kept, drive);
    await keepStates(this.folder, new Set([outcome.kept]));
    await this.evaluate(outcome, opening, drive);
    return { kind: 'finished', ...outcome };
  }

  private effects(drive: Drive<'recovery'>): RecoveryEffects {
    const { folder } = this;
    const { append } = drive;
    const looks = new Pace();
    /** The best state so far, and the last one. */
    const kept = { best: 0, last: 0 };
    return {
      train: async (from, to) => this.trained.get(from) ?? (await this.train(from, to, drive)),
      validate: async (step) => {
        const known = this.validated.get(step);
        if (known) return { loss: known.loss, seconds: known.seconds };
        await this.needState(step, drive);
        return askOne(drive, (client) => client.request('validate', { step, folder }), looks);
      },
      emit: async (event) => {
        if (event.kind === 'trained' && event.state !== null) kept.last = event.to;
        if (event.kind === 'validated' && event.isBest) kept.best = event.step;
        const before = this.known(event);
        if (before) {
          checkSame(`${event.kind}, step ${stepOf(before)}`, before, event);
          return;
        }
        await append(event);
        this.recall(event);
        await keepStates(folder, new Set([kept.best, kept.last]));
      },
    };
  }

  private known(event: RecoveryEvent): TrainedEvent | ValidatedEvent | StoppedEvent | undefined {
    if (event.kind === 'trained') return this.trained.get(event.from);
    if (event.kind === 'validated') return this.validated.get(event.step);
    return event.kind === 'stopped' ? this.stopped : undefined;
  }

  private readonly pace = new Map<number, Pace>();

  private async train(from: number, to: number, drive: Drive<'recovery'>): Promise<Trained> {
    const { folder } = this;
    await this.needState(from, drive);
    let pace = this.pace.get(to - from);
    if (!pace) this.pace.set(to - from, (pace = new Pace()));
    const trained = await askOne(drive, (client) => client.request('train', { from, to, folder }), pace);
    if (trained.state !== null) this.sound.add(to);
    return trained;
  }

  /** Sees to it that the state after so many steps is on the disk as the journal knows it. */
  private async needState(step: number, drive: Drive<'recovery'>): Promise<void> {
    if (this.sound.has(step)) return;
    const event = [...this.trained.values()].find(({ to }) => to === step);
    if (!event) throw noStateError(step);
    const problem = await this.problemOf(step, event.state, drive.signal);
    if (problem === undefined) {
      this.sound.add(step);
      return;
    }
    drive.say(`the state after ${step} steps is ${problem}: steps ${event.from + 1} to ${step} are trained again`);
    // What lies there may be a link, which nobody is to write through.
    await rm(stateFile(this.folder, step), { recursive: true, force: true });
    const { losses, state } = await this.train(event.from, step, drive);
    checkSame(`training, step ${event.from + 1}`, { losses: event.losses, state: event.state }, { losses, state });
  }

  private async problemOf(step: number, hash: string | null, signal: AbortSignal): Promise<string | undefined> {
    try {
      const options = fileOfRun(stateFile(this.folder, step));
      return (await hashOfState(this.folder, step, { ...options, signal })) === hash ? undefined : 'damaged';
    } catch (error) {
      if (error instanceof EspalierError) throw error;
      const { missing, message } = fileProblem(error);
      return missing ? 'missing' : `not readable (${message})`;
    }
  }

  /** What was pruned, and what training has made of it. */
  private async evaluate(outcome: RecoveryOutcome, opening: RecoveryOpening, drive: Drive<'recovery'>): Promise<void> {
    const { plan, folder, finalists } = this;
    const step = outcome.kept;
    const report = recoveryReport(plan.recovery, { opening, stopped: this.stopped!, outcome });
    const untrained = { about: { name: BEFORE }, evaluation: asPlanned(plan.evaluation) };
    const others = finalists.length > 0 ? drive : { ...drive, pool: await drive.evaluating() };
    const [before] = await evaluateFinalists([untrained], finalists.slice(0, 1), plan, others);
    const onText = planInputs(plan);
    await evaluateFinalists(
      [
        {
          about: { name: AFTER },
          evaluation: async (client, { tasks, ...inputs }): Promise<PerplexityResult> => {
            const result = inputs.text === onText.text ? before!.result : before!.test;
            if (!result) throw new EspalierError(before!.error!);
            const asked = { point: { step, folder }, before: result, inputs, ...(tasks && { tasks }) };
            const after = await client.request('recovered', asked);
            return { ...after, recovery: { ...report, before: result.perplexity } };
          },
        },
      ],
      finalists.slice(1),
      plan,
      drive,
    );
  }
}

function stepOf(event: TrainedEvent | ValidatedEvent | StoppedEvent): number {
  return event.kind === 'trained' ? event.from + 1 : event.step;
}

function noStateError(step: number): EspalierError {
  return new EspalierError({
    code: 'engine/invariant',
    operation: 'going on with a recovery',
    expected: `steps that led to the state after ${step} steps`,
    actual: 'none in its journal',
    remedy: 'This is a defect of Espalier: please report it with the log.',
  });
}
