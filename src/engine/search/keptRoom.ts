import { availableMemory } from '../runtime/memory.ts';

/** Shares of the available memory: for what updates need of H in all blocks, and for weights that they have made. */
const SHARES = { solvers: 0.4, weights: 0.1 } as const;

/** Bytes that a search may keep of something from one candidate to the next. @param workers of the search, which each keep their own */
export function keptRoom(what: keyof typeof SHARES, { workers }: { readonly workers: number }): number {
  return (SHARES[what] / workers) * availableMemory();
}
