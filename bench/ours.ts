import { type Finished, runProcess } from './childProcess.ts';
import type { LlamaCppJob } from './llamaCpp/perplexity.ts';
import type { PruningJob } from './pruningTimes.ts';
import type { ModelShape } from './generatedModel.ts';
import { type Conditions, type Measurement, REFERENCE_WORK, type Work } from './work.ts';
import { DEFAULT_SETTINGS } from '../src/experiment/settings.ts';
import type { MaskSearchPlan } from '../src/search/masks/plan.ts';
import type { EvaluationPlan } from '../src/experiment/planSchema.ts';
import type { GgufWeights } from '../src/experiment/ggufTypes.ts';

/** What a child process of ours is told to do, on its command line. */
export type ChildJob =
  | { readonly kind: 'evaluate' | 'operands'; readonly plan: EvaluationPlan; readonly processor: boolean }
  | { readonly kind: 'generate'; readonly shape: ModelShape; readonly words: number }
  | { readonly kind: 'gguf'; readonly model: string; readonly file: string; readonly type: GgufWeights }
  | { readonly kind: 'llama.cpp'; readonly job: LlamaCppJob }
  | { readonly kind: 'gemm'; readonly plan: EvaluationPlan; readonly shape: ModelShape; readonly processor: boolean }
  | { readonly kind: 'pruning'; readonly job: PruningJob }
  | { readonly kind: 'mask steps'; readonly plan: MaskSearchPlan; readonly comparison: boolean };

/** Of every child process, beside its answer. */
export interface ChildFacts {
  /** Largest resident set, MiB. */
  readonly peakMemory: number;
  /** Seconds of processor of the whole process, of all threads. */
  readonly processor: number;
}

/** One job in a fresh process of this same bundle. */
export async function measureOurs(work: Work, { threads, processor }: Conditions): Promise<Measurement> {
  const kind = work.job === 'operands' ? 'operands' : 'evaluate';
  const { answer, wallSeconds } = await runInChild({ kind, plan: planOf(work, threads), processor });
  const { processor: whole, ...measured } = answer as unknown as Omit<Measurement, 'wholeSeconds'> & ChildFacts;
  return { ...measured, wholeSeconds: processor ? whole : wallSeconds };
}

export function runInChild(job: ChildJob): Promise<Finished> {
  return runProcess(process.execPath, [process.argv[1]!, '--child', JSON.stringify(job)]);
}

/** The reference checkpoint on the CPU in float32, with the peer's samples and blocks. */
export function referencePlan(job: Work['job'], threads: number): EvaluationPlan {
  return planOf({ ...REFERENCE_WORK, job }, threads);
}

export function planOf({ job, model, text, calibration, ...sizes }: Work, threads: number): EvaluationPlan {
  const how = { offsets: 'even', device: 'cpu', precision: 'float32', threads } as const;
  return {
    ...{ model, text },
    // What is not pruned needs no samples.
    ...(job !== 'dense' && { calibration }),
    evaluations: job === 'dense' ? [] : [WANDA],
    settings: { ...DEFAULT_SETTINGS, ...sizes, ...how },
  };
}

export const WANDA: EvaluationPlan['evaluations'][number] = {
  metric: 'wanda',
  expression: {
    kind: 'operation',
    operation: 'mul',
    arguments: [
      { kind: 'operand', name: 'W' },
      { kind: 'operation', operation: 'sqrt', arguments: [{ kind: 'operand', name: 'X' }] },
    ],
  },
  sparsity: { kind: 'unstructured', share: 0.5 },
};
