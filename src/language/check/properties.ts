import { isSearchMethod, SEARCH_METHOD_NAMES, SEARCH_METHODS } from '../../search/methods.ts';
import type { SearchKind, SearchMethod } from '../../search/kinds.ts';
import { nearestName } from '../../metric/nearest.ts';
import {
  AT,
  CALIBRATE,
  EVALUATE,
  FITNESS,
  MASK_SEARCH_INPUTS,
  METRIC_SEARCH_INPUTS,
  MODEL,
  PRUNE,
  RATE_SEARCH_INPUTS,
} from './inputProperties.ts';
import type { ParsedDeclaration } from '../syntax/pieces.ts';
import { EVALUATION_SETTINGS, MASK_SETTINGS, METRIC_SETTINGS, RATE_SETTINGS } from './settingProperties.ts';
import type { Property, PropertyName } from './property.ts';

/** Blocks with properties; what a search has depends on what its method finds. */
export type BlockKind = 'experiment' | 'defaults' | SearchKind;

/**
 * What a block is, as far as its properties go. Of a search its `method` says it, wherever in the block that stands; a misspelt one is taken
 * for the one that was meant, so that the mistake is told there and not at each property.
 */
export function blockKindOf({ keyword, properties }: ParsedDeclaration): BlockKind {
  if (keyword === 'experiment') return keyword;
  if (keyword !== 'search') return 'defaults';
  const method = properties.find(({ tree }) => tree.syntax.key.text === 'method');
  const value = method?.tree.syntax.values[0];
  const text = value ? method.text.slice(value.span.start, value.span.end).replaceAll(/\s/g, '') : '';
  const meant = isSearchMethod(text) ? text : nearestName(text, SEARCH_METHOD_NAMES);
  return meant !== undefined && isSearchMethod(meant) ? blockOf(meant) : 'metrics';
}

/** Whose properties a search by this method has. */
export function blockOf(method: SearchMethod): BlockKind {
  return SEARCH_METHODS[method].finds;
}

/** The properties of each block, inputs before settings. */
const PROPERTIES: Readonly<Record<BlockKind, ReadonlyMap<string, Property>>> = {
  experiment: byName([MODEL, EVALUATE, CALIBRATE, PRUNE, AT, ...EVALUATION_SETTINGS]),
  metrics: search(METRIC_SEARCH_INPUTS, METRIC_SETTINGS),
  rates: search(RATE_SEARCH_INPUTS, RATE_SETTINGS),
  // Whole components are compared over the model or the block, and their scores are always one-shot.
  masks: search(MASK_SEARCH_INPUTS, MASK_SETTINGS, ['group', 'calibration']),
  defaults: byName([MODEL, EVALUATE, CALIBRATE, AT, ...EVALUATION_SETTINGS]),
};

export function propertiesOf(block: BlockKind): readonly Property[] {
  return [...PROPERTIES[block].values()];
}

export function propertyOf(block: BlockKind, name: string): Property | undefined {
  return PROPERTIES[block].get(name);
}

/** The blocks that have a property of this name. */
export function blocksWith(name: string): readonly BlockKind[] {
  return BLOCK_KINDS.filter((block) => PROPERTIES[block].has(name));
}

export const BLOCK_KINDS = Object.keys(PROPERTIES) as readonly BlockKind[];

/** `seed` is the search's own; that of the calibration stands in parentheses behind the corpus. */
function search(
  inputs: readonly Property[],
  settings: readonly Property[],
  without: readonly PropertyName[] = [],
): ReadonlyMap<string, Property> {
  const taken = new Set([...without, ...settings.map(({ name }) => name)]);
  return byName([
    MODEL,
    FITNESS,
    CALIBRATE,
    ...inputs,
    ...EVALUATION_SETTINGS.filter(({ name }) => !taken.has(name)),
    ...settings,
  ]);
}

function byName(properties: readonly Property[]): ReadonlyMap<string, Property> {
  return new Map(properties.map((property) => [property.name, property]));
}
