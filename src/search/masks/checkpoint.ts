import type { ProbabilitiesEvent } from './events.ts';

/** What is said of probabilities beside them. */
export type MaskCheckpoint = Omit<ProbabilitiesEvent, 'kind' | 'values'>;

export function checkpointOf({ step, baseline, perplexity, kl, removed, leftOut }: MaskCheckpoint): MaskCheckpoint {
  const fitness = kl === undefined ? { perplexity: perplexity ?? null } : { kl };
  return { step, baseline, ...fitness, removed, leftOut };
}
