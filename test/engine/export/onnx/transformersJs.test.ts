import { it } from 'vitest';
import type { FamilyName } from '../../../support/generate/families.ts';
import { PRUNED_SHAPES, type PrunedShape } from '../../../support/llamaCpp/ggufCases.ts';
import { transformersJsTests } from './transformersJsCases.ts';

// One of each kind of positions and of what transformers.js takes from config.json; all families and shapes are in transformersJs.slow.ts.
const check = transformersJsTests();

it.each<[FamilyName, PrunedShape | 'as it is']>([
  ['qwen3', 'attentions dropped'],
  ['llama longrope, long', 'as it is'],
  ['falcon 40b', 'as it is'],
  ['gpt-2', 'as it is'],
  ['mixtral', 'as it is'],
])('%s, %s', async (name, shape) => check(name, shape === 'as it is' ? undefined : PRUNED_SHAPES[shape]));
