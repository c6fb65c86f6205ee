import { DEFAULT_RECOVERY_SETTINGS } from '../../src/experiment/recovery.ts';
import { DEFAULT_SETTINGS } from '../../src/experiment/settings.ts';
import type { PerplexityResult } from '../../src/experiment/resultSchema.ts';
import { Rng } from '../../src/base/rng.ts';
import type { RecoveryEvent } from '../../src/search/recovery/events.ts';
import { AFTER, BEFORE } from '../../src/search/recovery/finalists.ts';
import type { RecoveryPlan } from '../../src/search/recovery/plan.ts';
import { runRecovery } from '../../src/search/recovery/runRecovery.ts';
import { sampleResult } from '../protocol/samples.ts';
import type { Timed } from './syntheticStructure.ts';

const DENSE = 100.27;
const PRUNED = 139.3;

/** A recovery that never was, for the panel. */
export function syntheticRecoveryPlan({ steps = 600 }: { readonly steps?: number } = {}): RecoveryPlan {
  return {
    ...{ kind: 'recovery', name: 'wanda-sp', model: '/models/wikitext-llama-6m', text: '/text', train: '/train' },
    calibration: '/calibration',
    settings: { ...DEFAULT_SETTINGS, length: 256, samples: 16 },
    evaluation: {
      metric: 'wanda-sp',
      structure: { kind: 'scored', score: { kind: 'method', method: 'wanda-sp' }, rates: { kind: 'uniform' } },
      sparsity: { kind: 'unstructured', share: 0.3 },
      update: { method: 'reconstruct', damping: 0.01 },
    },
    recovery: { method: 'lora', ...DEFAULT_RECOVERY_SETTINGS, steps, rate: 3e-4, warmup: 20, schedule: 'cosine' },
  };
}

export interface SyntheticRecovery {
  readonly seed: number;
  /** Steps that are through; all by themselves. */
  readonly until?: number;
  /** The learning rate is too high; or nothing is finite from the first step on. */
  readonly trouble?: 'diverged' | 'nan';
}

export async function syntheticRecovery(
  plan: RecoveryPlan,
  { seed, until = Infinity, trouble }: SyntheticRecovery,
): Promise<readonly Timed<RecoveryEvent>[]> {
  const rng = new Rng(seed);
  const events: Timed<RecoveryEvent>[] = [];
  let at = Date.UTC(2026, 10, 22, 10, 40);
  const keep = (event: RecoveryEvent): void => {
    at += event.kind === 'trained' ? 1000 * event.seconds : 400;
    events.push({ seq: events.length, event, at });
  };
  const before = Math.log(PRUNED);
  const gain = Math.log(PRUNED / 108.4);
  const opening = {
    ...{ blocks: 32, denseLosses: new Array<number>(32).fill(Math.log(DENSE)), densePerplexity: DENSE },
    ...{ fingerprint: 'f'.repeat(64), device: 'cpu', parameters: 5_430_000, architecture: 'LlamaForCausalLM', before },
    ...{ trainable: 166_400, sequences: 1432, trainingTokens: 366_592 },
  };
  keep({ kind: 'opened', ...opening });
  /** Of a step before noise: falls to what can be had, and rises a little once that is over-fitted. */
  const heldOut = (step: number): number => {
    if (trouble === 'diverged' && step > 120) return before + ((step - 120) / 40) ** 2;
    return before - gain * (1 - Math.exp(-step / 110)) + 0.00003 * Math.max(0, step - 380);
  };
  const isOver = new Error('as far as was asked');
  try {
    const outcome = await runRecovery(
      plan,
      {
        train: (from, to) => {
          if (from >= until) throw isOver;
          const losses = Array.from({ length: to - from }, (_, i) => heldOut(from + i) - 0.06 + 0.09 * rng.normal());
          return Promise.resolve(
            trouble === 'nan'
              ? { losses: [null], state: null, seconds: 0.4 }
              : { losses, state: 'a'.repeat(64), seconds: 0.31 * losses.length },
          );
        },
        validate: (step) => Promise.resolve({ loss: heldOut(step) + 0.002 * rng.normal(), seconds: 1.2 }),
        emit: (event) => {
          keep(event);
          return Promise.resolve();
        },
      },
      { opening },
    );
    const result = (perplexity: number): PerplexityResult =>
      sampleResult({ metric: 'wanda-sp', perplexity, densePerplexity: DENSE, actualSparsity: 0.3 });
    keep({ kind: 'finalist', name: BEFORE, result: result(PRUNED) });
    keep({ kind: 'finalist', name: AFTER, result: result(outcome.kept === 0 ? PRUNED : 109.8) });
    keep({ kind: 'finished', ...outcome });
  } catch (error) {
    if (error !== isOver) throw error;
  }
  return events;
}
