import { describe, it } from 'vitest';
import { FAMILIES, type FamilyName } from '../../../support/generate/families.ts';
import { PRUNED_SHAPES, type PrunedShape, READER_FAMILIES } from '../../../support/llamaCpp/ggufCases.ts';
import { transformersJsTests } from './transformersJsCases.ts';

const check = transformersJsTests();

describe('every family as it is', () => {
  it.each(Object.keys(FAMILIES) as FamilyName[])('%s', async (name) => check(name));
});

describe.each(Object.values(READER_FAMILIES))('%s, pruned', (name) => {
  it.each(Object.keys(PRUNED_SHAPES) as PrunedShape[])('%s', async (shape) => check(name, PRUNED_SHAPES[shape]));
});
