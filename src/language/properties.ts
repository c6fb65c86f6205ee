import { SETTINGS } from '../experiment/settings.ts';
import type { SettingName } from '../experiment/settings.ts';

/** A property of a block: `NAME: value`. */
export interface Property {
  readonly value: 'model' | 'corpus' | 'metrics' | 'sparsities' | 'setting';
  readonly documentation: string;
  /** Of `value: 'setting'`. */
  readonly setting?: SettingName;
  /** Settings that may stand in parentheses behind the value: `calibrate: calib (samples: 128)`. */
  readonly arguments?: readonly SettingName[];
  readonly example: string;
}

const INPUT_PROPERTIES = {
  model: {
    value: 'model',
    documentation: 'The checkpoint to prune: a `model` of the file, or a path in quotes.',
    example: 'model: tiny',
  },
  evaluate: {
    value: 'corpus',
    arguments: ['blocks', 'length'],
    documentation: 'The text that perplexity is taken on: a `corpus` of the file, or a path in quotes.',
    example: 'evaluate: test',
  },
  calibrate: {
    value: 'corpus',
    arguments: ['samples', 'length', 'offsets', 'seed'],
    documentation:
      'The text that calibration samples are cut from: a `corpus` of the file, or a path in quotes. Needed by every operand but the weights.',
    example: 'calibrate: calib (samples: 128, length: 2048, seed: 0)',
  },
  prune: {
    value: 'metrics',
    documentation: 'The metrics to prune with, one evaluation each: names, calls or whole expressions.',
    example: 'prune: wanda, abs(W)',
  },
  at: {
    value: 'sparsities',
    documentation: 'How much to remove, one evaluation each: a percentage of every group, or N:M (N of every M kept).',
    example: 'at: 50%, 2:4',
  },
} as const satisfies Record<string, Property>;

/** A setting's property has its name, but for the one that would be called as the corpus is. */
type SettingProperty = Exclude<SettingName, 'calibrate'> | 'calibration';

export type PropertyName = keyof typeof INPUT_PROPERTIES | SettingProperty;

/** Every property of `experiment` and `defaults`: what to evaluate, and one for each setting. */
export const PROPERTIES: Readonly<Record<PropertyName, Property>> = {
  ...INPUT_PROPERTIES,
  ...settingProperties(),
};

export const PROPERTY_NAMES = Object.keys(PROPERTIES) as readonly PropertyName[];

export function isPropertyName(name: string): name is PropertyName {
  return Object.hasOwn(PROPERTIES, name);
}

/** The property that says a setting: its own name, but `calibration` for `calibrate`, which names the corpus. */
export function propertyOfSetting(setting: SettingName): SettingProperty {
  return setting === 'calibrate' ? 'calibration' : setting;
}

function settingProperties(): Readonly<Record<SettingProperty, Property>> {
  const rows = (Object.keys(SETTINGS) as SettingName[]).map((name) => [propertyOfSetting(name), settingProperty(name)]);
  return Object.fromEntries(rows) as Record<SettingProperty, Property>;
}

function settingProperty(setting: SettingName): Property {
  const row = SETTINGS[setting];
  const values = row.kind === 'choice' ? ` One of ${row.choices.map((choice) => `\`${choice}\``).join(', ')}.` : '';
  const documentation = `${row.documentation[0]!.toUpperCase()}${row.documentation.slice(1)}.${values} Default: \`${row.default}\`.`;
  return { value: 'setting', setting, documentation, example: `${propertyOfSetting(setting)}: ${row.default}` };
}
