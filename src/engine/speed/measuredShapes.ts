import type { BlockTimes, ModelCosts, Time } from '../../experiment/costSchema.ts';
import { type BlockShape, blockShape } from '../families/config.ts';
import type { ModelConfig } from '../families/families.ts';

/** A table of shapes for each kind of block. */
export interface MeasuredShapes {
  readonly kinds: readonly Pick<BlockTimes, 'groups' | 'channels'>[];
  /** The model whose blocks have these shapes, one after the other. */
  readonly mixed: ModelConfig;
  /** Models whose blocks all keep the same share, which config.json says as the sizes of the whole model: some of each kind, one kind after the other. */
  readonly alike: readonly ModelConfig[];
}

/** Parts that a table has of all that a block can keep. */
const PARTS = 4;
/** What blocks that are alike keep, and how many of each kind there are. */
const ALIKE = [0.25, 0.5, 1];
const COUNT = 2;

/**
 * The shapes that are measured: nothing, a quarter, half, three quarters and all of the groups, with the same of the channels, or experts. A single group
 * besides: for the few columns that it has some products get one thread alone, and with them the program of the block (see `steadyThreads`).
 */
export function measuredShapes(config: ModelConfig, { kinds, blocks }: Omit<ModelCosts, 'times'>): MeasuredShapes {
  const tables = kinds.map((_, kind) => {
    const ofKind = blocks.filter((block) => block.kind === kind);
    const most = (of: 'groups' | 'channels' | 'experts'): number => Math.max(...ofKind.map((block) => block[of] ?? 0));
    const mixing = ofKind[0]!.experts !== undefined;
    return {
      groups: points(most('groups'), [0, 1]),
      // Of experts one stays in any case.
      channels: mixing ? points(most('experts'), [1]).filter((count) => count > 0) : points(most('channels'), [0]),
      mixing,
      index: blocks.findIndex((block) => block.kind === kind),
    };
  });
  const shapes = tables.flatMap(({ groups, channels, mixing, index }) =>
    groups.flatMap((kept) => channels.map((count) => ({ index, shape: shapeOf(config, kept, count, mixing) }))),
  );
  const mixed = withBlocks(
    config,
    shapes.map(({ index }) => index),
  );
  return {
    kinds: tables.map(({ groups, channels }) => ({ groups, channels })),
    mixed: {
      ...mixed,
      ...(config.mixture && {
        mixture: { ...config.mixture, experts: shapes.map(({ shape: { experts = 0 } }) => experts) },
      }),
      blocks: shapes.map(({ shape }) => shape),
    },
    alike: alikeShares(config).map((share) =>
      withBlocks(
        shrunk(config, share),
        tables.flatMap(({ index }) => Array.from({ length: COUNT }, () => index)),
      ),
    ),
  };
}

/** A model of these blocks of another, sizes and all. */
function withBlocks(config: ModelConfig, indices: readonly number[]): ModelConfig {
  const { windows, rotations, mixture, blocks } = config;
  return {
    ...config,
    depth: indices.length,
    windows: indices.map((index) => windows[index]),
    ...(rotations && { rotations: indices.map((index) => rotations[index]!) }),
    ...(mixture && { mixture: { ...mixture, experts: indices.map((index) => mixture.experts[index]!) } }),
    ...(blocks && { blocks: indices.map((index) => blocks[index]!) }),
  };
}

/** Of a model whose blocks have sizes of their own no smaller one with blocks that are alike comes; of a mixture experts go. */
function alikeShares({ blocks, mixture }: ModelConfig): readonly number[] {
  return blocks ? [] : mixture ? [1] : ALIKE;
}

/** The same model with a share of the groups and channels of all blocks. */
function shrunk(config: ModelConfig, share: number): ModelConfig {
  if (share === 1) return config;
  const kvHeads = Math.max(1, Math.round(share * config.kvHeads));
  const intermediate = Math.max(1, Math.round(share * config.intermediate));
  return { ...config, heads: kvHeads * (config.heads / config.kvHeads), kvHeads, intermediate };
}

/**
 * What was measured, in tables.
 *
 * @param mixed times of the blocks of {@link MeasuredShapes.mixed}
 * @param alike the same of each of {@link MeasuredShapes.alike}
 */
export function tablesOf(
  { kinds, alike: models }: MeasuredShapes,
  mixed: readonly Time[],
  alike: readonly (readonly Time[])[],
): readonly BlockTimes[] {
  let at = 0;
  return kinds.map(({ groups, channels }, kind) => ({
    groups,
    channels,
    times: rising(groups.map(() => channels.map(() => mixed[at++]!))),
    alike: models.map((config, model) => {
      const { kvHeads, intermediate, experts } = blockShape(config, kind * COUNT);
      return {
        ...{ groups: kvHeads, channels: experts ?? intermediate },
        time: mean(alike[model]!.slice(kind * COUNT, (kind + 1) * COUNT)),
      };
    }),
  }));
}

function mean(times: readonly Time[]): Time {
  const of = (phase: keyof Time): number => times.reduce((sum, time) => sum + time[phase], 0) / times.length;
  return { prefill: of('prefill'), decode: of('decode') };
}

function shapeOf(config: ModelConfig, groups: number, count: number, mixed: boolean): BlockShape {
  return {
    heads: groups * (config.heads / config.kvHeads),
    kvHeads: groups,
    ...(mixed ? { intermediate: 0, experts: count } : { intermediate: count }),
    ...(config.places === 'groups' &&
      groups < config.kvHeads && { groups: Array.from({ length: groups }, (_, i) => i) }),
  };
}

function points(most: number, besides: readonly number[]): readonly number[] {
  const parts = Array.from({ length: PARTS }, (_, part) => Math.round(((part + 1) / PARTS) * most));
  const all = new Set([...besides, ...parts].filter((count) => count <= most));
  return [...all].sort((a, b) => a - b);
}

/**
 * What is larger takes no less time, which the noise of a measurement does not know: halfway between the most that anything smaller, and the least that
 * anything larger takes.
 */
function rising(times: readonly (readonly Time[])[]): Time[][] {
  const bound = (row: number, column: number, phase: keyof Time): number => {
    let [most, least] = [0, Infinity];
    for (const [i, others] of times.entries()) {
      for (const [j, time] of others.entries()) {
        if (i <= row && j <= column) most = Math.max(most, time[phase]);
        if (i >= row && j >= column) least = Math.min(least, time[phase]);
      }
    }
    return (most + least) / 2;
  };
  return times.map((row, i) => row.map((_, j) => ({ prefill: bound(i, j, 'prefill'), decode: bound(i, j, 'decode') })));
}
