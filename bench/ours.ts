import { runProcess } from './childProcess.ts';
import { BLOCKS, LENGTH, SAMPLES, SHARED_FILES } from './work.ts';
import type { JobName, Measurement } from './work.ts';
import { DEFAULT_SETTINGS } from '../src/experiment/settings.ts';
import type { MaskSearchPlan } from '../src/search/masks/plan.ts';
import type { EvaluationPlan } from '../src/experiment/planSchema.ts';

/** What a child process of ours is told to do, on its command line. */
export type ChildJob =
  | { readonly kind: 'evaluate'; readonly plan: EvaluationPlan }
  | { readonly kind: 'operands'; readonly plan: EvaluationPlan }
  | { readonly kind: 'generate' }
  | { readonly kind: 'gemm'; readonly plan: EvaluationPlan }
  | { readonly kind: 'mask steps'; readonly plan: MaskSearchPlan; readonly comparison: boolean };

/** One job in a fresh process of this same bundle. */
export async function measureOurs(job: JobName, threads: number): Promise<Measurement> {
  const plan = referencePlan(job, threads);
  const { answer, wallSeconds } = await runInChild({ kind: job === 'operands' ? 'operands' : 'evaluate', plan });
  return { ...(answer as unknown as Omit<Measurement, 'wallSeconds'>), wallSeconds };
}

export function runInChild(job: ChildJob) {
  return runProcess(process.execPath, [process.argv[1]!, '--child', JSON.stringify(job)]);
}

/** The reference checkpoint on the CPU in float32, with the peer's samples and blocks. */
export function referencePlan(job: JobName, threads: number): EvaluationPlan {
  const { model, text, calibration } = SHARED_FILES;
  return {
    model,
    text,
    calibration,
    evaluations: job === 'dense' ? [] : [WANDA],
    settings: {
      ...DEFAULT_SETTINGS,
      ...{
        samples: SAMPLES,
        length: LENGTH,
        blocks: BLOCKS,
        offsets: 'even',
        device: 'cpu',
        precision: 'float32',
        threads,
      },
    },
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
