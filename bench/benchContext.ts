import type { BenchOptions } from './benchOptions.ts';
import { BenchModels } from './models.ts';
import { findPeer } from './peer.ts';
import { findRivals, type Rivals } from './rivals.ts';

/** What the parts of the benchmark share. */
export interface BenchContext {
  readonly options: BenchOptions;
  readonly models: BenchModels;
  readonly note: (line: string) => void;
  /** Looked for once, and only where somebody compares. */
  readonly rivals: () => Promise<Rivals>;
}

export function benchContext(options: BenchOptions, note: (line: string) => void): BenchContext {
  const models = new BenchModels(note);
  let found: Promise<Rivals> | undefined;
  const rivals = (): Promise<Rivals> => (found ??= findPeer().then((peer) => findRivals(peer, models, note)));
  return { options, models, note, rivals };
}
