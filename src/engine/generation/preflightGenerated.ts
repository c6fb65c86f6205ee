import type { EvaluationPlan } from '../../experiment/planSchema.ts';
import type { Preflight } from '../../experiment/preflightSchema.ts';
import { GSM8K_GENERATION } from '../../tasks/generated.ts';
import { openCheckpoint } from '../checkpoint/checkpoint.ts';
import { addWork } from '../evaluation/addWork.ts';
import { allParameters, familyOf } from '../families/families.ts';
import { sizeOf } from '../graph/shape.ts';
import { availableMemory } from '../runtime/memory.ts';
import { isGenerated } from './evaluateGenerated.ts';
import { CACHE_SHARE, MOST_TOGETHER } from './generate.ts';
import { cacheBytes } from './keyValueCache.ts';

/** Documents of GSM8K, where a plan takes all, and tokens of a question or of an example, roughly. */
const DOCUMENTS = 1319;
const QUESTION = 150;

/**
 * What generated answers add to a preflight of everything else: time, keys and values at most, the pruned model on the disk. Answers are counted as if each
 * had all tokens that it may have.
 */
export async function withAnswers(plan: EvaluationPlan, before: Preflight): Promise<Preflight> {
  const { tasks, evaluations } = plan;
  const asked = tasks?.list.filter(isGenerated) ?? [];
  if (!tasks || asked.length === 0) return before;
  const checkpoint = await openCheckpoint(plan.model);
  const { config } = checkpoint;
  checkpoint.close();
  const weights = allParameters(config).reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  const layouts = config.windows.map((_, index) => familyOf(config).block(config, index));
  const { most } = GSM8K_GENERATION[tasks.harness];
  const tokens = asked.reduce(
    (sum, { limit, shots }) =>
      sum + (limit || DOCUMENTS) * Math.min(config.maxPositions, most + QUESTION * (shots + 1)),
    0,
  );
  const flops = 2 * weights * tokens * (1 + evaluations.length);
  const longest = { batch: MOST_TOGETHER, tokens: config.maxPositions, type: 'float32' } as const;
  const held = cacheBytes(layouts, config.headDim, longest);
  const bytes = Math.min(held, CACHE_SHARE * availableMemory());
  const costs: Preflight['costs'] = [
    { name: 'keys and values of answers', kind: 'memory', bytes },
    ...(evaluations.length > 0
      ? [{ name: 'the pruned model while it answers', kind: 'disk' as const, bytes: 4 * weights }]
      : []),
  ];
  return addWork(before, { flops, costs });
}
