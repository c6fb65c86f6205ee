import type { FamilyConfig } from './config.ts';
import type { ConfigFields } from './configFields.ts';
import { LIMITS } from './configLimits.ts';

// Which blocks of LLaMA's kin look back over a window alone, and how wide it is.

type Windows = FamilyConfig['windows'];

/** Windows that no field can give. */
export function noWindows(fields: ConfigFields, depth: number): Windows {
  return windowsByType(fields, readLayerTypes(fields, depth) ?? repeat('full_attention', depth), undefined);
}

/** One window for all blocks; absent means 4096, null none. */
export function mistralWindows(fields: ConfigFields, depth: number): Windows {
  return oneWindow(fields, depth, 4096);
}

/** One window for all blocks, or none: null means none, absent `fallback`. */
export function oneWindow(fields: ConfigFields, depth: number, fallback: number | undefined): Windows {
  const window = fields.isStated('sliding_window') ? readWindow(fields) : fallback;
  const type = window === undefined ? 'full_attention' : 'sliding_attention';
  const stated = readLayerTypes(fields, depth);
  if (stated?.some((other) => other !== type)) {
    throw fields.wrong('layer_types', `${type} in every block, as sliding_window has it`);
  }
  return repeat(window, depth);
}

/** A window only with `use_sliding_window`, and then from block `max_window_layers` on unless `layer_types` says where. */
export function qwenWindows(fields: ConfigFields, depth: number): Windows {
  const inUse = fields.boolean('use_sliding_window', false);
  const window = inUse ? (fields.isStated('sliding_window') ? readWindow(fields) : 4096) : undefined;
  const full = fields.integer('max_window_layers', { minimum: 0, maximum: LIMITS.depth.maximum }, 28);
  const byDefault = typesWhere(depth, (block) => window !== undefined && block >= full);
  return windowsByType(fields, readLayerTypes(fields, depth) ?? byDefault, window);
}

/** All blocks but each `pattern`-th have a window, unless `layer_types` says where; absent means 4096. */
export function patternWindows(fields: ConfigFields, depth: number, pattern: number): Windows {
  const window = fields.isStated('sliding_window') ? readWindow(fields) : 4096;
  const types = readLayerTypes(fields, depth) ?? typesWhere(depth, (index) => (index + 1) % pattern !== 0);
  return windowsByType(fields, types, window);
}

/** `sliding_window` where it is in use, in blocks of which `slides` says so unless `layer_types` does. */
export function typedWindows(
  fields: ConfigFields,
  depth: number,
  inUse: boolean,
  slides: (index: number) => boolean,
): Windows {
  const window = inUse ? readWindow(fields) : undefined;
  const types = readLayerTypes(fields, depth) ?? typesWhere(depth, (index) => window !== undefined && slides(index));
  return windowsByType(fields, types, window);
}

function typesWhere(depth: number, slides: (index: number) => boolean): readonly LayerType[] {
  return Array.from({ length: depth }, (_, index) => (slides(index) ? 'sliding_attention' : 'full_attention'));
}

type LayerType = 'full_attention' | 'sliding_attention';

function windowsByType(fields: ConfigFields, types: readonly LayerType[], window: number | undefined): Windows {
  if (window === undefined && types.includes('sliding_attention')) {
    throw fields.wrong('layer_types', 'full_attention everywhere, since there is no window');
  }
  return types.map((type) => (type === 'sliding_attention' ? window : undefined));
}

function readLayerTypes(fields: ConfigFields, depth: number): readonly LayerType[] | undefined {
  const types = fields.value('layer_types');
  if (types === undefined) return undefined;
  const isKnown = (type: unknown): boolean => type === 'full_attention' || type === 'sliding_attention';
  if (!Array.isArray(types) || types.length !== depth || !types.every(isKnown)) {
    throw fields.wrong('layer_types', `a list of ${depth}, each full_attention or sliding_attention`);
  }
  return types as LayerType[];
}

function readWindow(fields: ConfigFields): number | undefined {
  if (fields.value('sliding_window') === undefined) return undefined;
  return fields.integer('sliding_window', { minimum: 1, maximum: LIMITS.positions.maximum });
}

function repeat<Item>(item: Item, count: number): Item[] {
  return Array.from({ length: count }, () => item);
}
