import { counted } from '../experiment/format.ts';
import { settingsWith } from '../experiment/settingRow.ts';
import type { SaidSettings, SettingsOf, SettingTable } from '../experiment/settingRow.ts';
import type { SearchConflict } from './conflict.ts';
import type { IdleContext, IdleSearchSettings } from './idle.ts';
import type { SearchKind, SearchMethod } from './kinds.ts';
import { maskSearchConflict } from './masks/conflict.ts';
import { idleInMaskSearch } from './masks/idle.ts';
import { MASK_SEARCH_SETTINGS } from './masks/settings.ts';
import { searchConflict } from './metrics/conflict.ts';
import { idleInMetricSearch, idleInRandomSearch } from './metrics/idle.ts';
import { METRIC_SEARCH_SETTINGS, takesProposals } from './metrics/settings.ts';
import type { MetricSearchSettingName, MetricSearchSettings } from './metrics/settings.ts';
import { evoPressConflict } from './rates/evopress/conflict.ts';
import { idleInEvoPress } from './rates/evopress/idle.ts';
import { EVOPRESS_SETTINGS } from './rates/evopress/settings.ts';
import type { EvoPressSettings } from './rates/evopress/settings.ts';
import { evoPressWords } from './rates/evopress/words.ts';
import { idleInSelfPruner } from './rates/selfPruner/idle.ts';
import { SELF_PRUNER_SETTINGS } from './rates/selfPruner/settings.ts';
import { selfPrunerWords } from './rates/selfPruner/words.ts';
import type { MaskSearchSettingName } from './masks/settings.ts';
import type { SelfPrunerSettingName } from './rates/selfPruner/settings.ts';

export interface SearchMethodRow {
  /** What it is called for a person. */
  readonly title: string;
  readonly finds: SearchKind;
  /** What it is set with; of a method that asks a language model those of that apart. */
  readonly settings: SettingTable;
  /** Whether it may ask a language model, as it is set; absent where it never does, and has no settings of one. */
  readonly asksLlm?: (said: SaidSettings) => boolean;
  /** One line, for `--help`, hover and completion. */
  readonly documentation: string;
  /** How it goes, for a person. */
  readonly words: (said: SaidSettings) => string;
  /** Whether it takes a calibration text whatever it prunes with. */
  readonly calibrates: (said: SaidSettings) => boolean;
  /** Settings that are right one by one and wrong together. */
  readonly conflict: (said: SaidSettings) => SearchConflict | undefined;
  /** Settings that change nothing. */
  readonly idle: (said: SaidSettings, context: IdleContext) => readonly IdleSearchSettings[];
}

/** Every way to search: one row each, which drives flags, `.prune` values, completion, hover and plans. */
export const SEARCH_METHODS: Readonly<Record<SearchMethod, SearchMethodRow>> = {
  'pruner-zero': row({
    title: 'Pruner-Zero',
    finds: 'metrics',
    settings: METRIC_SEARCH_SETTINGS,
    documentation: 'evolves metrics by genetic programming',
    asksLlm: takesProposals,
    words: metricSearchWords,
    conflict: searchConflict,
    idle: idleInMetricSearch,
  }),
  random: row({
    title: 'Random search',
    finds: 'metrics',
    settings: METRIC_SEARCH_SETTINGS,
    documentation: 'random metrics with the same budget',
    asksLlm: () => false,
    words: metricSearchWords,
    conflict: searchConflict,
    idle: idleInRandomSearch,
  }),
  'self-pruner': row({
    title: 'Self-Pruner',
    finds: 'rates',
    settings: SELF_PRUNER_SETTINGS,
    asksLlm: () => true,
    documentation: SELF_PRUNER_SETTINGS.method.documentation,
    words: selfPrunerWords,
    // OWL's rates are among the first configurations.
    calibrates: ({ initialise }) => initialise !== 'off',
    idle: idleInSelfPruner,
  }),
  evopress: row({
    title: 'EvoPress',
    finds: 'rates',
    settings: EVOPRESS_SETTINGS,
    documentation: EVOPRESS_SETTINGS.method.documentation,
    words: evoPressWords,
    conflict: evoPressConflict,
    idle: idleInEvoPress,
  }),
  'policy-gradient': row({
    title: 'Policy gradient',
    finds: 'masks',
    settings: MASK_SEARCH_SETTINGS,
    documentation: MASK_SEARCH_SETTINGS.method.documentation,
    words: ({ steps, masks, batch, tokens, objective }) =>
      `${steps} steps of ${masks} masks on ${objective === 'tasks' ? counted(batch, 'document') : `${batch} × ${tokens} tokens`}`,
    // Masks are learnt on it.
    calibrates: () => true,
    conflict: maskSearchConflict,
    idle: idleInMaskSearch,
  }),
};

function metricSearchWords({ generations, population }: MetricSearchSettings): string {
  return `${generations} generations of ${population} metrics`;
}

function row<const Table extends SettingTable>({
  asksLlm,
  words,
  calibrates,
  conflict,
  idle,
  ...method
}: Omit<SearchMethodRow, 'settings' | 'asksLlm' | 'words' | 'calibrates' | 'conflict' | 'idle'> & {
  readonly settings: Table;
  readonly asksLlm?: (settings: SettingsOf<Table>) => boolean;
  readonly words: (settings: SettingsOf<Table>) => string;
  readonly calibrates?: (settings: SettingsOf<Table>) => boolean;
  readonly conflict?: (settings: SettingsOf<Table>) => SearchConflict | undefined;
  readonly idle?: (settings: SettingsOf<Table>, context: IdleContext) => readonly IdleSearchSettings[];
}): SearchMethodRow {
  return {
    ...method,
    ...(asksLlm && { asksLlm: (said) => asksLlm(settingsWith(method.settings, said)) }),
    words: (said) => words(settingsWith(method.settings, said)),
    calibrates: (said) => calibrates?.(settingsWith(method.settings, said)) ?? false,
    conflict: (said) => conflict?.(settingsWith(method.settings, said)),
    idle: (said, context) => idle?.(settingsWith(method.settings, said), context) ?? [],
  };
}

export type MethodSettingName =
  MetricSearchSettingName | SelfPrunerSettingName | keyof EvoPressSettings | MaskSearchSettingName;

export const SEARCH_METHOD_NAMES = Object.keys(SEARCH_METHODS) as readonly SearchMethod[];
export const DEFAULT_SEARCH_METHOD: SearchMethod = 'pruner-zero';

export function isSearchMethod(text: string): text is SearchMethod {
  return Object.hasOwn(SEARCH_METHODS, text);
}

/** Whether what is said for one of these methods means the same for the other. */
export function sharesSettings(one: SearchMethod, other: SearchMethod): boolean {
  return SEARCH_METHODS[one].settings === SEARCH_METHODS[other].settings;
}
