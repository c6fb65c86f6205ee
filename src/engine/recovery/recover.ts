import { tmpdir } from 'node:os';
import { throwIfCancelled } from '../../base/errors.ts';
import { planInputs } from '../../experiment/planInputs.ts';
import type { TextInputs } from '../../experiment/planSchema.ts';
import type { RecoveryReport } from '../../experiment/recoverySchema.ts';
import type { PerplexityResult } from '../../experiment/resultSchema.ts';
import { keepStates } from '../../files/stateFiles.ts';
import { makeTemporaryFolder, removeTemporary } from '../../files/temporary.ts';
import type { RecoveryPoint, StoppedEvent } from '../../search/recovery/events.ts';
import type { RecoveryPlan } from '../../search/recovery/plan.ts';
import { recoveryReport } from '../../search/recovery/report.ts';
import { runRecovery } from '../../search/recovery/runRecovery.ts';
import type { EngineState } from '../evaluation/prepareSweep.ts';
import type { StepHooks } from '../forward/step.ts';
import { RecoverySession } from './recoverySession.ts';

/** What is recovered, and what the result is to be of. */
export interface Recovering {
  readonly plan: RecoveryPlan;
  /** The text to evaluate on, among others. */
  readonly inputs: TextInputs;
  /** Of the model before training, on that text. */
  readonly before: PerplexityResult;
  /** A state that a run has kept, and what came of the training; without it the model is trained now, without a journal. */
  readonly kept?: KeptState | undefined;
}

/** A state that a finished recovery has kept. */
export interface KeptState {
  readonly point: RecoveryPoint;
  /** Of the recovery; whom it is evaluated beside is known where it is evaluated. */
  readonly report: Omit<RecoveryReport, 'before'>;
}

/** Called while the recovered model is there. @param session with the state `point` to be loaded */
export type UseRecovered = (session: RecoverySession, point: RecoveryPoint) => Promise<void>;

/**
 * Trains what an evaluation prunes, as a run would, and evaluates it.
 *
 * @param scratchFolder where states and the pruned model may lie meanwhile
 * @throws EspalierError as {@link RecoverySession.open}
 */
export async function recover(
  { plan, inputs, before, kept }: Recovering,
  { signal, onProgress }: StepHooks,
  state: EngineState,
  scratchFolder: string = tmpdir(),
  use?: UseRecovered,
): Promise<PerplexityResult> {
  const begin = performance.now();
  // What a recovery evaluates on its way is nobody's result.
  const steps: StepHooks = { signal, onProgress };
  const folder = await makeTemporaryFolder(scratchFolder, 'espalier-states');
  try {
    const session = await RecoverySession.open(plan, steps, state, scratchFolder);
    try {
      const { point, report } = kept ?? (await train(plan, session, folder, steps));
      throwIfCancelled(signal, 'recovering');
      const result = await session.recovered({ point, before, inputs: planInputs(inputs) }, steps);
      await use?.(session, point);
      const seconds = before.seconds + (performance.now() - begin) / 1000;
      return { ...result, recovery: { ...report, before: before.perplexity }, seconds };
    } finally {
      await session.dispose();
    }
  } finally {
    await removeTemporary(folder);
  }
}

async function train(
  plan: RecoveryPlan,
  session: RecoverySession,
  folder: string,
  hooks: StepHooks,
): Promise<KeptState> {
  const keeping = { best: 0, last: 0 };
  let stopped: StoppedEvent | undefined;
  const outcome = await runRecovery(
    plan,
    {
      train: (from, to) => session.train({ from, to, folder }, hooks),
      validate: (step) => session.validate({ step, folder }, hooks),
      emit: async (event) => {
        if (event.kind === 'trained' && event.state !== null) keeping.last = event.to;
        if (event.kind === 'validated' && event.isBest) keeping.best = event.step;
        if (event.kind === 'stopped') stopped = event;
        await keepStates(folder, new Set([keeping.best, keeping.last]));
      },
    },
    { opening: session.opening, signal: hooks.signal },
  );
  const report = recoveryReport(plan.recovery, { opening: session.opening, stopped: stopped!, outcome });
  return { point: { step: outcome.kept, folder }, report };
}
