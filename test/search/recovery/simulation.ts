import { createHash } from 'node:crypto';
import { DEFAULT_RECOVERY_SETTINGS } from '../../../src/experiment/recovery.ts';
import type { Recovery } from '../../../src/experiment/recovery.ts';
import { DEFAULT_SETTINGS } from '../../../src/experiment/settings.ts';
import type { HeldOut, RecoveryEvent, RecoveryOpening, Trained } from '../../../src/search/recovery/events.ts';
import type { RecoveryPlan } from '../../../src/search/recovery/plan.ts';
import { runRecovery } from '../../../src/search/recovery/runRecovery.ts';
import type { RecoveryOutcome } from '../../../src/search/recovery/runRecovery.ts';

/** A model of which only the losses are known; a state says which steps led to it. */
export interface RecoveryProblem {
  readonly opening: RecoveryOpening;
  /** Of the step after so many; null where it is not finite. */
  readonly lossAt: (step: number) => number | null;
  /** After so many steps. */
  readonly heldOutAt: (step: number) => number | null;
}

export function recoveryProblem({
  before = 4,
  lossAt = (step) => 3 + Math.exp(-step / 20) + ((step * 7) % 5) / 100,
  // Best after 60 steps, then over-fitted.
  heldOutAt = (step) => 3.5 + ((step - 60) / 100) ** 2,
}: Partial<Omit<RecoveryProblem, 'opening'>> & { readonly before?: number | null } = {}): RecoveryProblem {
  return {
    opening: {
      ...{ blocks: 4, denseLosses: [3, 3, 3, 3], densePerplexity: Math.exp(3), fingerprint: 'problem', device: 'none' },
      ...{ parameters: 1000, architecture: 'llama', before, trainable: 100, sequences: 20, trainingTokens: 320 },
    },
    lossAt,
    heldOutAt,
  };
}

export function recoveryPlan(recovery: Partial<Recovery> = {}, plan: Partial<RecoveryPlan> = {}): RecoveryPlan {
  return {
    ...{ kind: 'recovery', name: 'simulated', model: '', text: '', train: '', settings: DEFAULT_SETTINGS },
    evaluation: {
      metric: 'magnitude',
      expression: { kind: 'operand', name: 'W' },
      sparsity: { kind: 'unstructured', share: 0.5 },
    },
    recovery: { method: 'lora', ...DEFAULT_RECOVERY_SETTINGS, steps: 120, every: 20, patience: 0, ...recovery },
    ...plan,
  };
}

/** What the file of a state holds. */
export function stateAfter(step: number): string {
  return `a state of ${step} steps`;
}

export function trainedOf({ lossAt }: RecoveryProblem, from: number, to: number): Trained {
  const losses: (number | null)[] = [];
  for (let step = from; step < to && losses.at(-1) !== null; step++) losses.push(lossAt(step));
  const state = losses.at(-1) === null ? null : createHash('sha256').update(stateAfter(to)).digest('hex');
  return { losses, state, seconds: 0.1 * losses.length };
}

export function heldOutOf({ heldOutAt }: RecoveryProblem, step: number): HeldOut {
  return { loss: heldOutAt(step), seconds: 0.2 };
}

/** The loop alone on a problem. */
export async function simulate(
  problem: RecoveryProblem,
  recovery: Partial<Recovery> = {},
  signal?: AbortSignal,
): Promise<{ readonly outcome: RecoveryOutcome; readonly events: readonly RecoveryEvent[] }> {
  const events: RecoveryEvent[] = [];
  const outcome = await runRecovery(
    recoveryPlan(recovery),
    {
      train: (from, to) => Promise.resolve(trainedOf(problem, from, to)),
      validate: (step) => Promise.resolve(heldOutOf(problem, step)),
      emit: (event) => {
        events.push(event);
        return Promise.resolve();
      },
    },
    { opening: problem.opening, signal },
  );
  return { outcome, events };
}
