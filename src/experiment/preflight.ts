/** What an evaluation will take, said before it begins: estimates, but for what is already there. */
export interface Preflight {
  /** What runs it: "cpu, 2 threads". */
  readonly deviceName: string;
  /** Models that go through the network: one for each metric and sparsity, and the dense one where its perplexity is not known. */
  readonly models: number;
  /** Evaluation blocks, and tokens of each. */
  readonly blocks: number;
  readonly length: number;
  readonly gradients: 'not needed' | 'cached' | 'to compute';
  /** Program runs, the units of progress. */
  readonly steps: number;
  /** Multiplications and additions of the matrix products. */
  readonly flops: number;
  /** The device's rate on a matrix product, as measured just now. */
  readonly gigaflops: number;
  /** Wall time, estimated from the two. */
  readonly seconds: number;
  /** What takes room, the largest first. */
  readonly costs: readonly PreflightCost[];
  /** Room that there is. */
  readonly free: { readonly memory: number; readonly disk: number };
  /** What will be computed, and may not be meant: as sentences for a person. */
  readonly warnings: readonly string[];
  /** What there is too little of, as sentences for a person; empty where all is enough. */
  readonly problems: readonly string[];
}

export interface PreflightCost {
  /** "weights", "hidden states": what a person would call it. */
  readonly name: string;
  readonly kind: 'memory' | 'disk';
  readonly bytes: number;
}

/** An evaluation that takes longer is worth a question. */
const LONG_SECONDS = 120;

/** Whether somebody should be asked before it begins. */
export function needsConfirmation({ seconds, problems, warnings }: Preflight): boolean {
  return seconds > LONG_SECONDS || problems.length > 0 || warnings.length > 0;
}
