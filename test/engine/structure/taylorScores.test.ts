import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ComponentScores } from '../../../src/engine/structure/componentScores.ts';
import { taylorScores } from '../../../src/engine/structure/taylorScores.ts';
import type { FamilyName } from '../../support/generate/families.ts';
import { loadOracle, type OracleModel } from '../../support/oracle/model.ts';
import { perplexity } from '../../support/oracle/perplexity.ts';
import { type DenseModel, openDenseModel } from './denseModel.ts';

// The score says how fast the loss changes when everything of a component shrinks together: the oracle shrinks it and looks.

const [SAMPLES, LENGTH] = [2, 12];

/** Grouped queries and biases, head norms, and OPT's other names. */
const FAMILY_NAMES: readonly FamilyName[] = ['llama biases', 'qwen3', 'opt-350m'];

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
      expectNear(groups[group]!, slope(oracle, model, block, GROUP, group, kvHeads), Math.max(...groups));
      expectNear(
        channels[channel]!,
        slope(oracle, model, block, CHANNEL, channel, intermediate),
        Math.max(...channels),
      );
    }
  });
});

function expectNear(score: number, slope: number, largest: number): void {
  expect(largest).toBeGreaterThan(0);
  expect(Math.abs(score - slope)).toBeLessThan(2e-4 * largest);
}

/** What goes with a component, rows of some and columns of others; written down here again, by hand. */
const GROUP = { rows: /self_attn\.[qkv]_proj\.(weight|bias)$/, columns: /self_attn\.(o|out)_proj\.weight$/ };
const CHANNEL = { rows: /(mlp\.(gate|up)_proj|fc1)\.(weight|bias)$/, columns: /(mlp\.down_proj|fc2)\.weight$/ };

/** |dL/ds| at s = 1, where s multiplies everything that goes with component `index` of `count`; L the mean loss of the samples. */
function slope(
  oracle: OracleModel,
  { samples }: DenseModel,
  block: number,
  goes: typeof GROUP,
  index: number,
  count: number,
): number {
  const step = 1e-5;
  const lossAt = (factor: number): number => {
    const dense = new Map(oracle.tensors);
    for (const [name, tensor] of dense) {
      const rows = goes.rows.test(name);
      if (!name.includes(`layers.${block}.`) || !(rows || goes.columns.test(name))) continue;
      // A stored bias is one row.
      const [size, at] =
        rows && tensor.rows > 1
          ? [tensor.rows, (i: number) => Math.floor(i / tensor.columns)]
          : [tensor.columns, (i: number) => i % tensor.columns];
      const values = tensor.values.map((value, i) =>
        Math.floor((at(i) * count) / size) === index ? value * factor : value,
      );
      oracle.tensors.set(name, { ...tensor, values });
    }
    const losses = samples.map((sample) => Math.log(perplexity(oracle, sample, LENGTH, 1)));
    for (const [name, tensor] of dense) oracle.tensors.set(name, tensor);
    return losses.reduce((sum, loss) => sum + loss, 0) / losses.length;
  };
  return Math.abs(lossAt(1 + step) - lossAt(1 - step)) / (2 * step);
}
