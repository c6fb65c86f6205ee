import { it } from 'vitest';
import { packBits } from '../../../../src/experiment/components.ts';
import type { PlannedEvaluation } from '../../../../src/experiment/planSchema.ts';
import type { FamilyName } from '../../../support/generate/families.ts';
import { PRUNED_SHAPES, type PrunedShape } from '../../../support/llamaCpp/ggufCases.ts';
import { transformersJsTests } from './transformersJsCases.ts';

const bits = (count: number, value: boolean): string => packBits(Array.from({ length: count }, () => value));
const WITHOUT_ATTENTION: PlannedEvaluation = {
  metric: 'no attention',
  structure: { kind: 'mask', mask: [0, 1, 2].map(() => ({ groups: bits(2, false), channels: bits(56, true) })) },
  sparsity: { kind: 'unstructured', share: 0.5 },
};

// One of each kind of positions and of what transformers.js takes from config.json; all families and shapes are in transformersJs.slow.ts.
const check = transformersJsTests();

it.each<[FamilyName, PrunedShape | 'as it is']>([
  ['qwen3', 'attentions dropped'],
  ['llama longrope, long', 'as it is'],
  ['falcon 40b', 'as it is'],
  ['gpt-2', 'as it is'],
  ['mixtral', 'as it is'],
])('%s, %s', async (name, shape) => check(name, shape === 'as it is' ? undefined : PRUNED_SHAPES[shape]));

it('a model without any attention has no keys and values', async () => {
  await check('llama-2 grouped queries', WITHOUT_ATTENTION);
});
