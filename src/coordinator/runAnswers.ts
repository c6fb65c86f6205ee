import type { EspalierError } from '../base/errors.ts';
import { printPrefix } from '../metric/print.ts';
import type { MeasureOutcome } from '../search/lifecycle/events.ts';
import type { Proposal, Question, SingleAnswers, Trial } from '../search/metrics/effects.ts';
import type { Acknowledged, MetricEvent, ProbeOutcome } from '../search/metrics/events.ts';
import { questionKey } from '../search/metrics/questionKey.ts';
import { divergedError } from './divergence.ts';
import { quarantine } from './measures.ts';
import { askMeasure, askProbe } from './metricQuestions.ts';
import { Pace } from './pace.ts';
import type { WorkSource } from './pool.ts';
import { ask } from './questions.ts';
import type { Answered } from './questions.ts';
import type { Drive } from './searchRun.ts';

/** What came from a worker and is not acknowledged yet: what the search is given, and what is to be told before. */
interface Arrived {
  readonly event: Acknowledged;
  readonly before: readonly MetricEvent[];
}

/**
 * The answers of a search without generations, one by one. An answer counts when the search takes it, and is on the disk before the search
 * has it: so the journal has the answers in the very order in which they were taken, and what followed from each behind it. A run that
 * goes on takes them in that order once more, whoever works on it now; what came from a worker and was not taken is asked again.
 */
export class RunAnswers implements SingleAnswers {
  private readonly recorded: readonly Acknowledged[];
  /** Of the recorded ones that were taken. */
  private taken = 0;
  private readonly recordedKeys: ReadonlySet<string>;
  private readonly drive: Drive<'metrics'>;
  /** What was asked, by its key: the expression. */
  private readonly asked = new Map<string, string>();
  private readonly arrived: Arrived[] = [];
  /** By the number of blocks; 0 for probes. */
  private readonly paces = new Map<number, Pace>();
  private workers: number | undefined;
  private failure: EspalierError | undefined;
  private wake: (() => void) | undefined;
  /** Has no work: whoever is free says how many share it. */
  private readonly census: WorkSource;

  /** @param recorded what the journal has from before, in its order */
  constructor(recorded: readonly Acknowledged[], drive: Drive<'metrics'>) {
    this.recorded = recorded;
    this.recordedKeys = new Set(recorded.flatMap((event) => (event.kind === 'workers' ? [] : [questionKey(event)])));
    this.workers = recorded.findLast((event) => event.kind === 'workers')?.count;
    this.drive = drive;
    this.census = {
      take: (workers) => {
        this.count(workers);
        return undefined;
      },
      fail: (error) => {
        this.fail(error);
      },
    };
    drive.pool.add(this.census);
  }

  /** Nobody is counted any more. */
  end(): void {
    this.drive.pool.remove(this.census);
  }

  ask(question: Question): void {
    const key = questionKey(question);
    this.asked.set(key, printPrefix(question.expression));
    if (this.recordedKeys.has(key)) return;
    const asked = question.kind === 'probe' ? this.askProbe(question) : this.askMeasure(question);
    asked.catch((error: unknown) => {
      this.fail(error as EspalierError);
    });
  }

  /** @throws EspalierError why the pool gave up; `runs/diverged` where the journal has the answer to another question */
  async next(): Promise<Acknowledged> {
    const recorded = this.recorded[this.taken];
    if (recorded) {
      this.taken++;
      this.checkAsked(recorded);
      return recorded;
    }
    for (;;) {
      if (this.failure) throw this.failure;
      const first = this.arrived.shift();
      if (first) {
        await this.drive.append(...first.before, first.event);
        return first.event;
      }
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    }
  }

  private askProbe(trial: Trial): Promise<void> {
    const { id, trial: number } = trial;
    const expression = printPrefix(trial.expression);
    return ask<Trial, ProbeOutcome>(this.drive.pool, {
      items: [trial],
      pace: this.paceOf(0),
      ask: askProbe,
      settle: ([answered]) => {
        const before: MetricEvent[] = [];
        const probe = outcomeOf(answered!, expression, before);
        const which = { id, ...(number !== undefined && { trial: number }) };
        this.arrive({ kind: 'probed', ...which, expression, probe, seconds: answered!.seconds }, before);
        return Promise.resolve();
      },
    });
  }

  private askMeasure({ id, expression, rung }: Extract<Question, { kind: 'measure' }>): Promise<void> {
    return ask<Proposal, MeasureOutcome>(this.drive.pool, {
      items: [{ id, expression }],
      pace: this.paceOf(rung.end - rung.begin),
      ask: (client, proposals) => askMeasure(client, proposals, rung),
      settle: ([answered]) => {
        const before: MetricEvent[] = [];
        const measure = outcomeOf(answered!, printPrefix(expression), before);
        this.arrive({ kind: 'measured', id, rung: rung.index, measure, seconds: answered!.seconds }, before);
        return Promise.resolve();
      },
    });
  }

  private paceOf(blocks: number): Pace {
    let pace = this.paces.get(blocks);
    if (!pace) this.paces.set(blocks, (pace = new Pace()));
    return pace;
  }

  private count(workers: number): void {
    const count = Math.max(1, workers);
    if (count === this.workers) return;
    this.workers = count;
    this.arrive({ kind: 'workers', count }, []);
  }

  private arrive(event: Acknowledged, before: readonly MetricEvent[]): void {
    this.arrived.push({ event, before });
    this.wake?.();
  }

  private fail(error: EspalierError): void {
    this.failure ??= error;
    this.wake?.();
  }

  /** The journal has answers to what was asked, and to nothing else. */
  private checkAsked(recorded: Acknowledged): void {
    if (recorded.kind === 'workers') return;
    const key = questionKey(recorded);
    const asked = this.asked.get(key);
    const isSame = asked !== undefined && (recorded.kind === 'measured' || recorded.expression === asked);
    if (isSame) return;
    const expected = recorded.kind === 'probed' ? recorded.expression : 'it to be asked';
    throw divergedError(`candidate ${key}`, expected, asked ?? 'it is not');
  }
}

function outcomeOf<Outcome>(
  answered: Answered<Proposal, Outcome>,
  expression: string,
  events: MetricEvent[],
): Outcome | Extract<MeasureOutcome, { kind: 'invalid' }> {
  return 'answer' in answered ? answered.answer : quarantine(answered, expression, (event) => events.push(event));
}
