import type { BlockSizes, BlockTimes, ModelCosts, ModelTimes, Time } from './costSchema.ts';
import type { Size } from './predictionSchema.ts';

/** What a block keeps; one that is dropped costs nothing. */
export type BlockSize = 'dropped' | KeptSize;
export type KeptSize = Pick<ModelCosts['blocks'][number], 'groups' | 'channels' | 'experts'>;

export type Phase = keyof Time;

/** Costs whose times were measured. */
export type TimedCosts = ModelCosts & { readonly times: ModelTimes };

export function isTimed(costs: ModelCosts): costs is TimedCosts {
  return costs.times !== undefined;
}

/**
 * Exact size of a model.
 *
 * @param kept of each block
 * @param compensated whether the output projections get biases for what was removed
 */
export function modelSize(costs: ModelCosts, kept: readonly BlockSize[], compensated = false): Size {
  const sizes = kept.map((size, index) => blockSize(costs, index, size, compensated));
  return sizes.reduce(addSizes, costs.outside);
}

/** Exact size of block `index` with what it keeps. */
export function blockSize({ kinds, blocks }: ModelCosts, index: number, kept: BlockSize, compensated = false): Size {
  if (kept === 'dropped') return NOTHING;
  const { group, channel, expert, rest }: BlockSizes =
    kinds[blocks[index]!.kind]![compensated ? 'compensated' : 'plain'];
  const { groups, channels, experts = 0 } = kept;
  const mlp = channels > 0 || experts > 0;
  const base = groups > 0 ? (mlp ? rest.both : rest.attention) : mlp ? rest.mlp : rest.none;
  return [times(group, groups), times(channel, channels), times(expert, experts)].reduce(addSizes, base);
}

/** Seconds of a model: what is outside the blocks, and each block as if it were alone. */
export function modelTime(costs: TimedCosts, kept: readonly BlockSize[]): Time {
  const alike = areAlike(kept);
  return kept.map((size, index) => blockTime(costs, index, size, alike)).reduce(addTimes, costs.times.outside);
}

/**
 * Seconds of block `index` with what it keeps: linear between the sizes that were measured, in groups and in channels.
 *
 * @param alike whether all blocks of its model keep the same
 */
export function blockTime(
  { blocks, times: { kinds } }: TimedCosts,
  index: number,
  kept: BlockSize,
  alike = false,
): Time {
  if (kept === 'dropped') return NO_TIME;
  const table = kinds[blocks[index]!.kind]!;
  const time = mixedTime(table, kept.groups, kept.experts ?? kept.channels);
  if (!alike || table.alike.length === 0) return time;
  const of = (phase: Phase): number => time[phase] * alikeShare(table, time[phase], phase);
  return { prefill: of('prefill'), decode: of('decode') };
}

function mixedTime({ groups, channels, times }: BlockTimes, kept: number, parts: number): Time {
  const [row, column] = [place(groups, kept), place(channels, parts)];
  const of = (phase: Phase): number => mix(row, (at) => mix(column, (next) => times[at]![next]![phase]));
  return { prefill: of('prefill'), decode: of('decode') };
}

/** What blocks that are alike take, in what blocks of many sizes do: linear in the time of the latter. */
function alikeShare(table: BlockTimes, seconds: number, phase: Phase): number {
  const measured = table.alike.map(({ groups, channels, time }) => {
    const mixed = mixedTime(table, groups, channels)[phase];
    return { mixed, share: mixed > 0 ? time[phase] / mixed : 1 };
  });
  const at = place(
    measured.map(({ mixed }) => mixed),
    Math.max(seconds, measured[0]!.mixed),
  );
  return mix(at, (index) => measured[index]!.share);
}

/** Whether config.json can say what is left as sizes of the whole model: see `prunedConfig`. */
export function areAlike(kept: readonly BlockSize[]): boolean {
  const left = kept.filter((size): size is KeptSize => size !== 'dropped');
  const isOne = (values: readonly (number | undefined)[]): boolean => new Set(values).size <= 1;
  const plain = left.filter(({ experts }) => experts === undefined);
  return (
    isOne(left.map(({ groups }) => groups)) &&
    isOne(plain.map(({ channels }) => channels)) &&
    isOne(left.flatMap(({ experts }) => (experts === undefined ? [] : [experts]))) &&
    left.every(({ groups, channels, experts }) => groups > 0 && (experts ?? channels) > 0)
  );
}

/** How many times as fast as the dense model the one with such blocks is. */
export function speedUp(costs: TimedCosts, kept: readonly BlockSize[], phase: Phase): number {
  return modelTime(costs, costs.blocks)[phase] / modelTime(costs, kept)[phase];
}

/** Between which two points a value lies, and how far from the first to the second. */
interface Place {
  readonly lower: number;
  readonly upper: number;
  readonly share: number;
}

function place(points: readonly number[], value: number): Place {
  const after = points.findIndex((point) => point >= value);
  const upper = after < 0 ? points.length - 1 : after;
  const lower = Math.max(0, upper - 1);
  const [from, to] = [points[lower]!, points[upper]!];
  return { lower, upper, share: to > from ? (value - from) / (to - from) : 0 };
}

function mix({ lower, upper, share }: Place, at: (index: number) => number): number {
  return lower === upper ? at(lower) : at(lower) * (1 - share) + at(upper) * share;
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
