import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { blockInfluence } from '../../../src/engine/structure/blockInfluence.ts';
import type { FamilyName } from '../../support/generate/families.ts';
import { row, type Matrix } from '../../support/oracle/matrix.ts';
import { loadOracle, type OracleModel } from '../../support/oracle/model.ts';
import { type DenseModel, openDenseModel } from './denseModel.ts';

const FAMILY_NAMES: readonly FamilyName[] = ['mistral', 'opt-350m'];

describe.each(FAMILY_NAMES)('%s', (name) => {
  let model: DenseModel;
  beforeAll(async () => {
    model = await openDenseModel(name, 3, 20);
  });
  afterAll(() => model.close());

  test('is 1 − the mean cosine of what goes in and what comes out', async () => {
    const influence = await blockInfluence(model.inputs, () => Promise.resolve());
    const expected = oracleInfluence(loadOracle(model.family.folder), model.samples);
    expect(influence).toHaveLength(expected.length);
    for (const [index, value] of expected.entries()) expect(influence[index]).toBeCloseTo(value, 5);
  });
});

test('a block that gives back what it gets has none', async () => {
  const model = await openDenseModel('llama-1', 2, 16);
  const { weights } = model.inputs;
  const block = await weights.block(1);
  for (const name of ['self_attn.o_proj', 'mlp.down_proj']) block[name]!.floats().fill(0);
  const influence = await blockInfluence(model.inputs, () => Promise.resolve());
  expect(influence[1]).toBeCloseTo(0, 6);
  expect(influence[0]).toBeGreaterThan(1e-4);
  expect(influence[2]).toBeGreaterThan(1e-4);
  await model.close();
});

function oracleInfluence(model: OracleModel, samples: readonly (readonly number[])[]): number[] {
  const sums = new Array<number>(model.depth).fill(0);
  for (const sample of samples) {
    let x = model.embed(sample);
    for (let index = 0; index < model.depth; index++) {
      const y = model.block(index, x);
      for (let t = 0; t < x.rows; t++) sums[index]! += cosine(x, y, t);
      x = y;
    }
  }
  const tokens = samples.reduce((sum, { length }) => sum + length, 0);
  return sums.map((sum) => 1 - sum / tokens);
}

function cosine(x: Matrix, y: Matrix, t: number): number {
  const [a, b] = [row(x, t), row(y, t)];
  const dot = (u: Float64Array, v: Float64Array): number => u.reduce((sum, value, i) => sum + value * v[i]!, 0);
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
}
