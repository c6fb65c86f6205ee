import type { ModelConfig } from '../families/families.ts';
import type { RotaryPositions } from '../families/config.ts';
import { type BlockLayout, rotationOf } from '../families/family.ts';
import { alibiTable } from '../models/alibi.ts';
import { type RotaryTables, rotaryTables, tableLength } from '../models/rope.ts';
import type { Places } from './places.ts';

/** Rotary tables by their rotation: of each the last that was asked for. */
export type PlacedTables = Map<string, RotaryTables>;

export interface PlacedTable {
  readonly data: Float32Array;
  readonly shape: readonly number[];
}

/**
 * What a block program with `attending: 'masked'` takes in of where tokens are: `attention.mask`, and of the positions that the block has
 * `cosines` and `sines` of each token, or ALiBi's `alibi.queries` and `alibi.keys`.
 */
export function placedTables(
  config: ModelConfig,
  layout: BlockLayout,
  places: Places,
  kept: PlacedTables,
): Readonly<Record<string, PlacedTable>> {
  const rotation = rotationOf(config, layout);
  const mask = places.mask(layout.window);
  const tokens = tokensOf(places, mask.length);
  const batch = places.positions.length / tokens;
  return {
    'attention.mask': { data: mask, shape: [batch, tokens, places.keys.length / batch] },
    ...(rotation && turned(rotation, places, config.maxPositions, kept)),
    ...leantTables(config, layout, places, batch),
  };
}

/** ALiBi's part of {@link placedTables}; nothing of other positions. */
export function leantTables(
  config: ModelConfig,
  layout: BlockLayout,
  places: Places,
  batch: number,
): Readonly<Record<string, PlacedTable>> {
  return config.positions.kind === 'alibi' ? leant(config, layout, places, batch) : {};
}

/** [batch, tokens, keys] has batch · tokens · keys elements, positions and keys have batch · tokens and batch · keys. */
function tokensOf({ keys }: Places, elements: number): number {
  return elements / keys.length;
}

function turned(
  rotation: RotaryPositions,
  { positions, longest }: Places,
  maxPositions: number,
  kept: PlacedTables,
): Record<'cosines' | 'sines', PlacedTable> {
  const tables = tablesFor(rotation, longest, maxPositions, kept);
  const [, pairs] = tables.shape;
  const gathered = (table: Float32Array): PlacedTable => {
    const data = new Float32Array(positions.length * pairs);
    // By elements: a view for each row of so few took three times as long.
    let next = 0;
    for (const position of positions) {
      const begin = position * pairs;
      for (let pair = 0; pair < pairs; pair++) data[next++] = table[begin + pair]!;
    }
    return { data, shape: [positions.length, pairs] };
  };
  return { cosines: gathered(tables.cosines), sines: gathered(tables.sines) };
}

/** Tables that have a row for each position of a text of `longest` tokens. */
export function tablesFor(
  rotation: RotaryPositions,
  longest: number,
  maxPositions: number,
  kept: PlacedTables,
): RotaryTables {
  const length = tableLength(rotation.scaling, longest, maxPositions);
  const key = keyOf(rotation);
  const found = kept.get(key);
  if (found?.shape[0] === length) return found;
  const tables = rotaryTables(rotation, length, maxPositions);
  kept.set(key, tables);
  return tables;
}

function leant(
  config: ModelConfig,
  { shape }: BlockLayout,
  { positions, keys, longest }: Places,
  batch: number,
): Record<'alibi.queries' | 'alibi.keys', PlacedTable> {
  if (config.positions.kind !== 'alibi') throw new RangeError('positions that are not ALiBi’s');
  const table = alibiTable(config.positions, config, shape, longest);
  const at = (places: Int32Array): PlacedTable => {
    const count = places.length / batch;
    const data = new Float32Array(batch * shape.heads * count);
    for (let sequence = 0, next = 0; sequence < batch; sequence++) {
      const own = places.subarray(sequence * count, (sequence + 1) * count);
      for (const head of table) for (const place of own) data[next++] = head[place]!;
    }
    return { data, shape: [batch, shape.heads, count] };
  };
  return { 'alibi.queries': at(positions), 'alibi.keys': at(keys) };
}

export function keyOf(rotation: RotaryPositions): string {
  return JSON.stringify(rotation);
}
