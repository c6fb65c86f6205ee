import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ComponentScores } from '../../../src/engine/structure/componentScores.ts';
import { taylorScores } from '../../../src/engine/structure/taylorScores.ts';
import type { FamilyName } from '../../support/generate/families.ts';
import { loadOracle, type OracleModel } from '../../support/oracle/model.ts';
import { perplexity } from '../../support/oracle/perplexity.ts';
import { type DenseModel, openDenseModel } from './denseModel.ts';

// The score says how fast the loss changes when everything of a component shrinks together: the oracle shrinks it and looks.

const [SAMPLES, LENGTH] = [2, 12];

/** Grouped queries and biases, head norms, OPT's other names, fused matrices by group and by kind. */
const FAMILY_NAMES: readonly FamilyName[] = [
  ...(['llama biases', 'qwen3', 'opt-350m', 'gpt-neox', 'phi-4', 'gpt-2', 'falcon 40b'] as const),
];

describe.each(FAMILY_NAMES)('%s', (name) => {
  let model: DenseModel;
  let scores: readonly ComponentScores[];
  beforeAll(async () => {
    model = await openDenseModel(name, SAMPLES, LENGTH);
    const { kvHeads, intermediate, depth } = model.checkpoint.config;
    const components = Array.from({ length: depth }, () => ({ groups: kvHeads, channels: intermediate }));
    scores = await taylorScores(model.inputs, components, () => Promise.resolve());
  });
  afterAll(() => model.close());

  test('a score is what shrinking the component says', () => {
    const oracle = loadOracle(model.family.folder);
    const { kvHeads, intermediate } = model.checkpoint.config;
    for (const [block, { groups, channels }] of scores.entries()) {
      const group = block % kvHeads;
      const channel = (block * 37 + 5) % intermediate;
      expect(groups).toHaveLength(kvHeads);
      expect(channels).toHaveLength(intermediate);
      expectNear(groups[group]!, slope(oracle, model, block, oracle.attention, group, kvHeads), Math.max(...groups));
      expectNear(
        channels[channel]!,
        slope(oracle, model, block, oracle.mlp, channel, intermediate),
        Math.max(...channels),
      );
    }
  });
});

function expectNear(score: number, slope: number, largest: number): void {
  expect(largest).toBeGreaterThan(0);
  expect(Math.abs(score - slope)).toBeLessThan(2e-4 * largest);
}

/**
 * |dL/ds| at s = 1, where s multiplies everything that goes with component `index` of `count`: rows and biases of the first linear layers,
 * columns of the last; L the mean loss of the samples.
 */
function slope(
  oracle: OracleModel,
  { samples }: DenseModel,
  block: number,
  linears: readonly string[],
  index: number,
  count: number,
): number {
  const step = 1e-5;
  const names = linears.map((linear) => oracle.weightName(block, linear));
  const sections = oracle.sections?.[linears[0]!];
  const reader = names.pop()!;
  const makers = new Set(names.flatMap((name) => [name, name.replace(/weight$/, 'bias')]));
  const lossAt = (factor: number): number => {
    const dense = new Map(oracle.tensors);
    for (const [name, tensor] of dense) {
      const rows = makers.has(name);
      if (!rows && name !== reader) continue;
      // A stored bias is one row.
      const [size, at] =
        rows && tensor.rows > 1
          ? [tensor.rows, (i: number) => Math.floor(i / tensor.columns)]
          : [tensor.columns, (i: number) => i % tensor.columns];
      const values = tensor.values.map((value, i) =>
        componentOf(at(i), rows ? (sections ?? [size]) : [size], count) === index ? value * factor : value,
      );
      oracle.tensors.set(name, { ...tensor, values });
    }
    const losses = samples.map((sample) => Math.log(perplexity(oracle, sample, LENGTH, 1)));
    for (const [name, tensor] of dense) oracle.tensors.set(name, tensor);
    return losses.reduce((sum, loss) => sum + loss, 0) / losses.length;
  };
  return Math.abs(lossAt(1 + step) - lossAt(1 - step)) / (2 * step);
}

/** Which of `count` components the row or column `at` is of, where each section falls into as many equal parts. */
function componentOf(at: number, sections: readonly number[], count: number): number {
  const [length, ...others] = sections as readonly [number];
  return at < length ? Math.floor((at * count) / length) : componentOf(at - length, others, count);
}
