import { throwIfCancelled } from '../../base/errors.ts';
import { divergedInTraining, divergedOnHeldOut } from './divergence.ts';
import type { RecoveryEffects, RecoveryOptions } from './effects.ts';
import type { RecoveryFinished, StoppedEvent, Trained, ValidatedEvent } from './events.ts';
import { learningRate } from './learningRate.ts';
import type { RecoveryPlan } from './plan.ts';

/** What a recovery comes to, before it is evaluated. */
export type RecoveryOutcome = Omit<RecoveryFinished, 'kind'>;

/** Most steps that are trained before anything is told and kept of them. */
const MOST_AT_ONCE = 50;

/**
 * Trains in portions, looks at the held-out text every so many steps, and keeps the state that does best there, of equal ones the earliest: a
 * recovery never ends with a model that does worse there than the one that it began with. It ends with the last step, when `patience` looks in a
 * row were no better, and when the loss is not finite or runs away (divergence.ts).
 *
 * @throws EspalierError `cancelled` once `options.signal` is aborted; and whatever `effects` throw
 */
export async function runRecovery(
  { recovery }: Pick<RecoveryPlan, 'recovery'>,
  effects: RecoveryEffects,
  { opening, signal }: RecoveryOptions,
): Promise<RecoveryOutcome> {
  const { steps, every, patience } = recovery;
  let best: Kept = { kept: 0, loss: opening.before, state: null };
  let looksSinceBest = 0;
  /** Losses of the first steps, and of the last ones. */
  const losses: number[] = [];

  for (let step = 0; ;) {
    throwIfCancelled(signal, 'recovering');
    const to = Math.min(step + MOST_AT_ONCE, nextLook(step, every, steps));
    const trained = await effects.train(step, to);
    await effects.emit({ kind: 'trained', from: step, to, ...trained, rate: learningRate(to - 1, recovery) });
    const { state } = trained;
    if (state === null) return end(notFinite(step, trained));
    losses.push(...(trained.losses as readonly number[]));
    step = to;

    if (step === nextLook(step - 1, every, steps)) {
      throwIfCancelled(signal, 'recovering');
      const validated = looked(step, await effects.validate(step), best);
      await effects.emit(validated);
      if (validated.isBest) best = { kept: step, loss: validated.loss, state };
      looksSinceBest = validated.isBest ? 0 : looksSinceBest + 1;
      if (validated.loss === null) {
        return end({
          step,
          reason: 'not-finite',
          detail: `after ${step} steps the loss on the held-out text is not finite`,
        });
      }
      const ranAway = divergedOnHeldOut(opening.before, validated.loss);
      if (ranAway !== undefined) return end({ step, reason: 'diverged', detail: ranAway });
    }
    const ranAway = divergedInTraining(losses);
    if (ranAway !== undefined) return end({ step, reason: 'diverged', detail: ranAway });
    if (step === steps) return end({ step, reason: 'steps', detail: `all ${steps} steps are done` });
    if (patience > 0 && looksSinceBest >= patience) {
      const detail = `${looksSinceBest} looks at the held-out text in a row were no better than after ${best.kept} steps`;
      return end({ step, reason: 'patience', detail });
    }
  }

  async function end(stopped: Omit<StoppedEvent, 'kind'>): Promise<RecoveryOutcome> {
    await effects.emit({ kind: 'stopped', ...stopped });
    return { steps: stopped.step, ...best };
  }
}

/** The state that is kept: at step 0 there is none. */
type Kept = Omit<RecoveryOutcome, 'steps'>;

/** Steps that are done at the first look at the held-out text after this many: at multiples of `every`, and at the end. */
function nextLook(step: number, every: number, steps: number): number {
  return Math.min(steps, (Math.floor(step / every) + 1) * every);
}

function looked(step: number, heldOut: Pick<ValidatedEvent, 'loss' | 'seconds'>, best: Kept): ValidatedEvent {
  const { loss } = heldOut;
  const perplexity = loss === null ? Infinity : Math.exp(loss);
  return {
    kind: 'validated',
    step,
    ...heldOut,
    perplexity: Number.isFinite(perplexity) && perplexity > 0 ? perplexity : null,
    isBest: loss !== null && loss < (best.loss ?? Infinity),
  };
}

/** The steps before the one whose loss is not finite are done; their state is not kept. */
function notFinite(from: number, { losses }: Trained): Omit<StoppedEvent, 'kind'> {
  const step = from + Math.max(0, losses.indexOf(null));
  return { step, reason: 'not-finite', detail: `the loss of step ${step + 1} is not finite` };
}
