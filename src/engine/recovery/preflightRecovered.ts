import { statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import type { EvaluationPlan } from '../../experiment/planSchema.ts';
import type { Preflight } from '../../experiment/preflightSchema.ts';
import type { Recovery } from '../../experiment/recovery.ts';
import { openCheckpoint } from '../checkpoint/checkpoint.ts';
import { addWork } from '../evaluation/addWork.ts';
import { allParameters } from '../families/families.ts';
import type { Parameter } from '../families/family.ts';
import { sizeOf } from '../graph/shape.ts';

/** A way there, the gradient of what goes in, and the way there once more where what blocks compute has no room. */
const PASSES_OF_STEP = 3;
/** Bytes of a trained number: itself, its gradient, two means of Adam; and of one in a state: itself and the means, in the best and the last. */
const IN_MEMORY = 16;
const IN_STATES = 24;

/**
 * What training adds to a preflight of what is pruned: time, memory, and the disk that the pruned model and the states take meanwhile. Nothing is known
 * of when training ends by itself: all steps are counted.
 *
 * @param plan with a length that is no longer open
 * @param before of the same without its recoveries
 */
export async function withTraining(plan: EvaluationPlan, before: Preflight): Promise<Preflight> {
  const recoveries = plan.evaluations.flatMap(({ recovery }) => (recovery ? [recovery] : []));
  if (recoveries.length === 0) return before;
  const checkpoint = await openCheckpoint(plan.model);
  const parameters = allParameters(checkpoint.config);
  checkpoint.close();
  const weights = parameters.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  const flops = recoveries.reduce((sum, each) => sum + workOf(each, weights, plan), 0);
  const trained = Math.max(...recoveries.map((each) => trainedNumbers(each, parameters)));
  const disk = 4 * weights + IN_STATES * trained;
  const { bavail, bsize } = await statfs(tmpdir());
  const free = bavail * bsize;
  const memory = 8 * weights + IN_MEMORY * trained;
  const [takes, has] = [disk, free].map((bytes) => `${(bytes / 1e9).toPrecision(3)} GB`);
  const problem = `Too little disk in ${tmpdir()}: training takes ${takes} there, and ${has} are free. Free some space, or set TMPDIR.`;
  return addWork(before, {
    flops,
    costs: [
      { name: 'training (weights, a merged copy, adapter)', kind: 'memory', bytes: memory },
      { name: 'the pruned model and states of its training', kind: 'disk', bytes: disk },
    ],
    problems: disk > free ? [problem] : [],
  });
}

/** Multiplications and additions: of the steps, and of the looks at the held-out text. */
function workOf(
  { steps, batch, every, held, ...recovery }: Recovery,
  weights: number,
  { settings }: EvaluationPlan,
): number {
  const forward = 2 * weights * (recovery.length || settings.length);
  const looks = 2 + Math.ceil(steps / every);
  return forward * (PASSES_OF_STEP * steps * batch + looks * held + settings.blocks);
}

/** At most: of LoRA where every layer has factors. */
function trainedNumbers({ method, rank }: Recovery, parameters: readonly Parameter[]): number {
  return parameters.reduce((sum, { linear, shape }) => {
    if (method === 'norms') return sum + (shape.length === 1 ? shape[0]! : 0);
    return sum + (linear ? rank * (shape[0]! + shape[1]!) : 0);
  }, 0);
}
