import { Rng } from '../../src/base/rng.ts';
import type { BlockSizes, ModelCosts, Time } from '../../src/experiment/costSchema.ts';
import type { Size } from '../../src/experiment/predictionSchema.ts';
import type { BlockComponents } from '../../src/experiment/structureSchema.ts';

/** A model that never was: components of its blocks, and what they cost, with times that rise unevenly in both sizes. */
export function costTables(seed: number, blocks = 5): { components: BlockComponents[]; costs: ModelCosts } {
  const rng = new Rng(seed);
  const components = Array.from({ length: blocks }, (): BlockComponents => {
    const [groups, channels] = [1 + rng.integer(6), 20 + rng.integer(60)];
    return { groups, channels, groupWeights: 100 + rng.integer(400), channelWeights: 3 * (4 + rng.integer(12)) };
  });
  const size = (parameters: number): Size => ({ parameters, bytes: 2 * parameters });
  const sizesOf = ({ groupWeights, channelWeights }: BlockComponents, biases: number): BlockSizes => ({
    group: size(groupWeights),
    channel: size(channelWeights),
    expert: size(0),
    rest: { none: size(8 + biases), attention: size(8 + biases), mlp: size(8 + biases), both: size(8 + biases) },
  });
  const rising = (steps: number): number[] => {
    let value = rng.uniform();
    return Array.from({ length: steps }, () => (value += rng.uniform()));
  };
  const kinds = components.map((block) => ({ plain: sizesOf(block, 0), compensated: sizesOf(block, 32) }));
  const times = components.map(({ groups, channels }) => {
    const channelPoints = [0, Math.floor(channels / 3), channels];
    const [rows, columns] = [rising(groups + 1), rising(channelPoints.length)];
    const table = rows.map((row) =>
      columns.map((column): Time => ({ prefill: row + column, decode: (row + column) / 8 })),
    );
    return {
      groups: Array.from({ length: groups + 1 }, (_, i) => i),
      channels: channelPoints,
      times: table,
      alike: [],
    };
  });
  return {
    components,
    costs: {
      kinds,
      blocks: components.map(({ groups, channels }, kind) => ({ kind, groups, channels })),
      outside: size(2000),
      times: {
        ...{ fingerprint: 'a'.repeat(64), device: 'cpu', batch: 4, decodeBatch: 4, length: 64 },
        kinds: times,
        outside: { prefill: 0.5, decode: 0.1 },
      },
    },
  };
}
