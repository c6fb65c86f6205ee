import type { KindSizes, ModelCosts, ModelTimes, Size, Time, TimeGrid } from './costSchema.ts';
import type { BlockComponents } from './structureSchema.ts';

/** What a block keeps; one that is dropped costs nothing. */
export type BlockSize = 'dropped' | Pick<BlockComponents, 'groups' | 'channels' | 'experts'>;

export type Phase = keyof Time;

/** What every block of the dense model has. */
export function denseSizes({ kinds, blocks }: ModelCosts): readonly BlockSize[] {
  return blocks.map((kind) => kinds[kind]!.dense);
}

/**
 * Exact size of a model.
 *
 * @param kept of each block
 * @param compensated whether the output projections get a bias for what was removed
 */
export function modelSize(costs: ModelCosts, kept: readonly BlockSize[], compensated = false): Size {
  return kept.reduce(
    (sum, size, index) => addSizes(sum, blockSize(costs.kinds[costs.blocks[index]!]!, size, compensated)),
    costs.outside,
  );
}

/** Exact size of a block of that kind. */
export function blockSize(kind: KindSizes, kept: BlockSize, compensated = false): Size {
  if (kept === 'dropped') return NOTHING;
  const { group, channel, expert = NOTHING, rest, compensation } = kind;
  const parts = [times(group, kept.groups), times(channel, kept.channels), times(expert, kept.experts ?? 0)];
  return [...parts, ...(compensated ? [compensation] : [])].reduce(addSizes, rest);
}

/** Seconds of a model: what is outside the blocks, and each block as if it were alone. */
export function modelTime(costs: ModelCosts & { readonly times: ModelTimes }, kept: readonly BlockSize[]): Time {
  return kept.reduce(
    (sum, size, index) => addTimes(sum, blockTime(costs.times, costs.blocks[index]!, size)),
    costs.times.outside,
  );
}

/** Seconds of a block of that kind: linear between the sizes that were measured. */
export function blockTime(measured: ModelTimes, kind: number, kept: BlockSize): Time {
  if (kept === 'dropped') return NO_TIME;
  const { attention, mlp, rest } = measured.kinds[kind]!;
  return addTimes(rest, addTimes(timeAt(attention, kept.groups), timeAt(mlp, kept.experts ?? kept.channels)));
}

/** How many times as fast as the dense model; undefined where nothing was measured. */
export function speedUp(costs: ModelCosts, kept: readonly BlockSize[], phase: Phase): number | undefined {
  const { times: measured } = costs;
  if (!measured) return undefined;
  const known = { ...costs, times: measured };
  return modelTime(known, denseSizes(costs))[phase] / modelTime(known, kept)[phase];
}

/** Linear between two points of the grid; beyond its last as between the last two. */
function timeAt(grid: TimeGrid, kept: number): Time {
  const after = grid.findIndex((point) => point.kept >= kept);
  const upper = grid[after < 0 ? grid.length - 1 : after]!;
  if (upper.kept === kept || grid.length === 1) return upper.time;
  const lower = grid[grid.indexOf(upper) - 1]!;
  const share = (kept - lower.kept) / (upper.kept - lower.kept);
  const between = (phase: Phase): number => lower.time[phase] + share * (upper.time[phase] - lower.time[phase]);
  return { prefill: between('prefill'), decode: between('decode') };
}

const NOTHING: Size = { parameters: 0, bytes: 0 };
const NO_TIME: Time = { prefill: 0, decode: 0 };

function addSizes(a: Size, b: Size): Size {
  return { parameters: a.parameters + b.parameters, bytes: a.bytes + b.bytes };
}

function times({ parameters, bytes }: Size, count: number): Size {
  return { parameters: parameters * count, bytes: bytes * count };
}

function addTimes(a: Time, b: Time): Time {
  return { prefill: a.prefill + b.prefill, decode: a.decode + b.decode };
}
