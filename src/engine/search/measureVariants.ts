import { EspalierError } from '../../base/errors.ts';
import type { Timed } from '../../experiment/measuringSchema.ts';
import type { MeasuredLoss, MeasureOutcome } from '../../search/lifecycle/events.ts';
import { stepper } from '../evaluation/stepper.ts';
import { sweep } from '../evaluation/sweep.ts';
import { inGroups } from '../evaluation/sweepGroups.ts';
import type { SweepInputs, SweepOutcome, Variant } from '../evaluation/sweepInputs.ts';
import type { StepHooks } from '../forward/step.ts';
import { InvalidScoreError } from '../pruning/scoreCheck.ts';

/**
 * Mean losses of variants on the evaluation's sequences, in nats per predicted token, in order; one that is not finite is an outcome, too.
 * An evaluation computes them in the same way; where the inputs have the dense model's states they are divergences from it.
 *
 * @param make a variant of each candidate, when its turn comes
 * @param read what its sweep says of it; the loss on the evaluation's sequences
 * @throws EspalierError for everything that is not a candidate's fault
 */
export async function measureVariants<Candidate>(
  inputs: SweepInputs,
  candidates: readonly Candidate[],
  make: (candidate: Candidate) => Variant,
  { signal }: Pick<StepHooks, 'signal'>,
  read: (outcome: SweepOutcome) => MeasuredLoss = ({ loss }) => ({
    kind: 'loss',
    blocks: inputs.evaluation.length,
    loss,
  }),
): Promise<Timed<MeasureOutcome>[]> {
  const measured: Timed<MeasureOutcome>[] = [];
  // Without a total, steps are not counted: what a person watches is candidates.
  const step = stepper({ signal }, 0);
  try {
    await inputs.denseStates?.provide(inputs, step);
    for (const group of inGroups(candidates, inputs)) {
      try {
        const { variants } = await sweep(inputs, false, group.map(make), step);
        for (const outcome of variants) {
          measured.push(
            outcome instanceof EspalierError
              ? { answer: invalidOutcome(outcome), seconds: 0 }
              : { answer: read(outcome), seconds: outcome.seconds },
          );
        }
      } finally {
        await releaseMetrics(inputs);
      }
    }
  } finally {
    inputs.denseStates?.forget();
  }
  return measured;
}

/** Programs of metrics come and go. */
export async function releaseMetrics({ device }: Pick<SweepInputs, 'device'>): Promise<void> {
  await device.release((key) => !key.startsWith('prune '));
}

/** What is the candidate's own fault; anything else goes on as an error. */
export function invalidOutcome(error: unknown): Extract<MeasureOutcome, { kind: 'invalid' }> {
  if (error instanceof InvalidScoreError) return { kind: 'invalid', reason: error.reason, detail: error.data.actual };
  if (error instanceof EspalierError && error.code === 'recovery/ill-conditioned') {
    return { kind: 'invalid', reason: 'not-finite', detail: `${error.data.operation}: ${error.data.actual}` };
  }
  if (error instanceof EspalierError && error.code === 'evaluation/not-finite') {
    const what = error.data.expected.replace('finite ', '');
    return { kind: 'invalid', reason: 'not-finite', detail: `${what} of ${error.data.actual}` };
  }
  throw error;
}
