import { DEFAULT_SEARCH_METHOD, isSearchMethod, SEARCH_METHOD_NAMES, SEARCH_METHODS } from '../../search/methods.ts';
import type { SearchKind, SearchMethod } from '../../search/kinds.ts';
import { nearestName } from '../../metric/nearest.ts';
import {
  AT,
  CALIBRATE,
  EVALUATE,
  FINALISTS_ASKED,
  GRADIENTS,
  FITNESS,
  MASK_SEARCH_INPUTS,
  METRIC_SEARCH_INPUTS,
  MODEL,
  PRUNE,
  RATE_SEARCH_INPUTS,
  RECOVER,
  TASKS_ASKED,
  TRAIN,
  VALIDATE,
} from './inputProperties.ts';
import type { ParsedDeclaration } from '../syntax/pieces.ts';
import {
  CORPUS_SETTINGS,
  EVALUATION_SETTINGS,
  methodSettings,
  PROTOCOL,
  TASKS_PROPERTIES,
} from './settingProperties.ts';
import type { Property, PropertyName } from './property.ts';

/** Blocks with properties; what a search has depends on its method. */
export type BlockKind = 'experiment' | 'defaults' | 'corpus' | SearchMethod;

/**
 * What a block is, as far as its properties go. Of a search it is its `method`, wherever in the block that stands; a misspelt one is taken
 * for the one that was meant, so that the mistake is told there and not at each property.
 */
export function blockKindOf({ keyword, properties }: ParsedDeclaration): BlockKind {
  if (keyword === 'experiment' || keyword === 'corpus') return keyword;
  if (keyword !== 'search') return 'defaults';
  const method = properties.find(({ tree }) => tree.syntax.key.text === 'method');
  const value = method?.tree.syntax.values[0];
  const text = value ? method.text.slice(value.span.start, value.span.end).replaceAll(/\s/g, '') : '';
  const meant = isSearchMethod(text) ? text : nearestName(text, SEARCH_METHOD_NAMES);
  return meant !== undefined && isSearchMethod(meant) ? meant : DEFAULT_SEARCH_METHOD;
}

/** What a search has beside texts and settings, by what it finds. */
const INPUTS: Readonly<Record<SearchKind, readonly Property[]>> = {
  metrics: METRIC_SEARCH_INPUTS,
  rates: RATE_SEARCH_INPUTS,
  masks: MASK_SEARCH_INPUTS,
};

/** Settings of evaluations that decide nothing there. */
const IDLE: Readonly<Record<SearchKind, readonly PropertyName[]>> = {
  metrics: [],
  rates: [],
  // Whole components are compared over the model or the block, and their scores are always one-shot.
  masks: ['group', 'calibration', 'gradients', 'gradientSamples', 'gradientLength', 'gradientOffsets'],
};

/** The properties of each block, inputs before settings. */
const PROPERTIES: ReadonlyMap<BlockKind, ReadonlyMap<string, Property>> = new Map([
  [
    'experiment',
    byName([
      PROTOCOL,
      MODEL,
      EVALUATE,
      CALIBRATE,
      GRADIENTS,
      PRUNE,
      AT,
      RECOVER,
      TRAIN,
      VALIDATE,
      TASKS_ASKED,
      ...TASKS_PROPERTIES,
      ...EVALUATION_SETTINGS,
    ]),
  ],
  ...SEARCH_METHOD_NAMES.map((method) => {
    const { finds } = SEARCH_METHODS[method];
    return [method, search(INPUTS[finds], methodSettings(method), IDLE[finds])] as const;
  }),
  [
    'defaults',
    byName([
      ...[PROTOCOL, MODEL, EVALUATE, CALIBRATE, GRADIENTS, AT, TRAIN, VALIDATE],
      ...[TASKS_ASKED, ...TASKS_PROPERTIES],
      ...EVALUATION_SETTINGS,
    ]),
  ],
  ['corpus', byName(CORPUS_SETTINGS)],
]);

export function propertiesOf(block: BlockKind): readonly Property[] {
  return [...PROPERTIES.get(block)!.values()];
}

export function propertyOf(block: BlockKind, name: string): Property | undefined {
  return PROPERTIES.get(block)!.get(name);
}

/** The blocks that have a property of this name; a corpus is none. */
export function blocksWith(name: string): readonly BlockKind[] {
  return BLOCK_KINDS.filter((block) => block !== 'corpus' && PROPERTIES.get(block)!.has(name));
}

export const BLOCK_KINDS = [...PROPERTIES.keys()];

/** `seed` is the search's own; that of the calibration stands in parentheses behind the corpus. */
function search(
  inputs: readonly Property[],
  settings: readonly Property[],
  without: readonly PropertyName[],
): ReadonlyMap<string, Property> {
  const taken = new Set([...without, ...settings.map(({ name }) => name)]);
  return byName([
    ...[PROTOCOL, MODEL, FITNESS, CALIBRATE, GRADIENTS].filter(({ name }) => !without.includes(name)),
    ...inputs,
    ...[FINALISTS_ASKED, ...TASKS_PROPERTIES],
    ...EVALUATION_SETTINGS.filter(({ name }) => !taken.has(name)),
    ...settings,
  ]);
}

function byName(properties: readonly Property[]): ReadonlyMap<string, Property> {
  return new Map(properties.map((property) => [property.name, property]));
}
