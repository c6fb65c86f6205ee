import { SEARCH_SETTINGS } from '../experiment/search.ts';
import type { SearchSettingName, SearchSettingRow } from '../experiment/search.ts';
import { SETTINGS } from '../experiment/settings.ts';
import type { SettingName, SettingRow } from '../experiment/settings.ts';

/** A property of a block: `NAME: value`. The same name can mean different things in different blocks: `seed`. */
export interface Property {
  readonly name: PropertyName;
  readonly value: 'model' | 'corpus' | 'metrics' | 'sparsities' | 'sparsity' | 'operands' | 'operations' | 'setting';
  readonly documentation: string;
  readonly example: string;
  /** Of `value: 'setting'`. */
  readonly setting?: PropertySetting;
  /** Settings that may stand in parentheses behind the value: `calibrate: calib (samples: 128)`. */
  readonly arguments?: readonly Property[];
}

export type PropertySetting =
  | { readonly of: 'evaluation'; readonly name: SettingName; readonly row: AnySettingRow }
  | { readonly of: 'search'; readonly name: SearchSettingName; readonly row: AnySettingRow };

/** What the rows of both tables of settings have in common. */
export type AnySettingRow = { readonly default: string | number; readonly documentation: string } & (
  | { readonly kind: 'choice'; readonly choices: readonly string[] }
  | { readonly kind: 'integer' | 'number'; readonly minimum: number; readonly maximum: number }
);

/** Blocks with properties. */
export type BlockKind = 'experiment' | 'search' | 'defaults';

type InputName =
  'model' | 'evaluate' | 'calibrate' | 'prune' | 'at' | 'test' | 'operands' | 'operations' | 'from' | 'baselines';

/** A setting's property has its name, but for the one that would be called as the corpus is. */
type SettingProperty = Exclude<SettingName, 'calibrate'> | 'calibration';

export type PropertyName = InputName | SettingProperty | SearchSettingName;

/** The property that says a setting: its own name, but `calibration` for `calibrate`, which names the corpus. */
export function propertyOfSetting(setting: SettingName): SettingProperty {
  return setting === 'calibrate' ? 'calibration' : setting;
}

/** A property for every setting of an evaluation, and for every one of a search. */
const EVALUATION_SETTINGS = rowsOf<SettingName, SettingRow<string> | SettingRow<number>>(SETTINGS).map(([name, row]) =>
  settingProperty(propertyOfSetting(name), { of: 'evaluation', name, row }, row.decidesNumbers),
);
const SEARCH_ONLY_SETTINGS = rowsOf<SearchSettingName, SearchSettingRow<string> | SearchSettingRow<number>>(
  SEARCH_SETTINGS,
).map(([name, row]) => settingProperty(name, { of: 'search', name, row }, row.decidesResult));

const CALIBRATE: Property = {
  name: 'calibrate',
  value: 'corpus',
  arguments: evaluationSettings('samples', 'length', 'offsets', 'seed'),
  documentation:
    'The text that calibration samples are cut from: a `corpus` of the file, or a path in quotes. Needed by every operand but the weights.',
  example: 'calibrate: calib (samples: 128, length: 2048, seed: 0)',
};
const MODEL: Property = {
  name: 'model',
  value: 'model',
  documentation: 'The checkpoint to prune: a `model` of the file, or a path in quotes.',
  example: 'model: tiny',
};
const EVALUATE: Property = {
  name: 'evaluate',
  value: 'corpus',
  arguments: evaluationSettings('blocks', 'length'),
  documentation: 'The text that perplexity is taken on: a `corpus` of the file, or a path in quotes.',
  example: 'evaluate: test',
};
const PRUNE: Property = {
  name: 'prune',
  value: 'metrics',
  documentation: 'The metrics to prune with, one evaluation each: names, calls or whole expressions.',
  example: 'prune: wanda, abs(W)',
};
const AT: Property = {
  name: 'at',
  value: 'sparsities',
  documentation: 'How much to remove, one evaluation each: a percentage of every group, or N:M (N of every M kept).',
  example: 'at: 50%, 2:4',
};

/** What only a search says: its texts, its sparsity, and what its trees are made of. */
const SEARCH_INPUTS: readonly Property[] = [
  {
    name: 'test',
    value: 'corpus',
    arguments: [],
    documentation:
      'A text that the search never sees: its best metrics and the baselines are evaluated on it at the end. A `corpus` of the file, or a path in quotes.',
    example: 'test: test',
  },
  {
    name: 'at',
    value: 'sparsity',
    documentation: 'How much candidates remove: one percentage of every group, or N:M. Default: `50%`.',
    example: 'at: 60%',
  },
  {
    name: 'operands',
    value: 'operands',
    documentation:
      'What the leaves of the trees can be. Default: `W, X, G`, and the operands of the metrics in `from`.',
    example: 'operands: W, X, G',
  },
  {
    name: 'operations',
    value: 'operations',
    documentation: 'What the other nodes of the trees can be. Default: Pruner-Zero’s operations.',
    example: 'operations: mul, add, sqrt, abs, mms',
  },
  {
    name: 'from',
    value: 'metrics',
    documentation: 'Metrics that the first generation starts from; the rest of it is random. Default: none.',
    example: 'from: wanda, abs(W) * X',
  },
  {
    name: 'baselines',
    value: 'metrics',
    documentation:
      'Metrics that the search is compared with; they never enter the population. Default: magnitude, Wanda, first-order Taylor and the published Pruner-Zero metric, as far as the operands allow.',
    example: 'baselines: wanda, abs(W)',
  },
];

/** The properties of each block, inputs before settings. */
const PROPERTIES: Readonly<Record<BlockKind, ReadonlyMap<string, Property>>> = {
  experiment: byName([MODEL, EVALUATE, CALIBRATE, PRUNE, AT, ...EVALUATION_SETTINGS]),
  defaults: byName([MODEL, EVALUATE, CALIBRATE, AT, ...EVALUATION_SETTINGS]),
  // `seed` is the search's own; that of the calibration stands in parentheses behind the corpus.
  search: byName([
    MODEL,
    { ...EVALUATE, documentation: 'The text whose perplexity is a metric’s fitness: a `corpus`, or a path in quotes.' },
    CALIBRATE,
    ...SEARCH_INPUTS,
    ...EVALUATION_SETTINGS.filter(({ name }) => !Object.hasOwn(SEARCH_SETTINGS, name)),
    ...SEARCH_ONLY_SETTINGS,
  ]),
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

function settingProperty(name: PropertyName, setting: PropertySetting, decides: boolean): Property {
  const { row } = setting;
  const values = row.kind === 'choice' ? ` One of ${row.choices.map((choice) => `\`${choice}\``).join(', ')}.` : '';
  const what = `${row.documentation[0]!.toUpperCase()}${row.documentation.slice(1)}.${values} Default: \`${row.default}\`.`;
  const effect =
    setting.of === 'search' ? 'Does not change what is found.' : 'Does not change the numbers beyond rounding.';
  const documentation = decides ? what : `${what}\n\n${effect}`;
  return { name, value: 'setting', setting, documentation, example: `${name}: ${row.default}` };
}

function evaluationSettings(...names: readonly PropertyName[]): readonly Property[] {
  return names.map((name) => EVALUATION_SETTINGS.find((property) => property.name === name)!);
}

function rowsOf<Name extends string, Row>(table: Readonly<Record<Name, Row>>): [Name, Row][] {
  return Object.entries(table) as [Name, Row][];
}

function byName(properties: readonly Property[]): ReadonlyMap<string, Property> {
  return new Map(properties.map((property) => [property.name, property]));
}
