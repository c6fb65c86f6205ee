import { InvalidArgumentError, Option } from 'commander';
import type { Command } from 'commander';
import { isInRange, rangeText } from '../../experiment/settingRow.ts';
import type { NumberValues, SettingRow, SettingTable } from '../../experiment/settingRow.ts';
import { SETTINGS } from '../../experiment/settings.ts';
import type { EvaluationSettings } from '../../experiment/settings.ts';
import type { SearchSettings } from '../../search/metrics/settings.ts';
import { SEARCH_SETTINGS } from '../../search/metrics/settings.ts';

/** Settings that stood on the command line; the others come from the file or from the defaults. */
export type SettingOverrides = Partial<EvaluationSettings>;
export type SearchOverrides = Partial<SearchSettings>;

/** One flag for every setting of an evaluation, made from the one table of settings. */
export function addSettingFlags(command: Command): Command {
  return addFlags(command, SETTINGS, kebabCase);
}

/** One flag for every setting of a search and of its evaluations. Both have a seed: `--seed` is the search's. */
export function addSearchFlags(command: Command): Command {
  return addFlags(
    addFlags(command, SEARCH_SETTINGS, (name) => name),
    SETTINGS,
    flagInSearch,
  );
}

/** The settings among commander's parsed options. */
export function settingOverrides(options: Options): SettingOverrides {
  return overrides(options, SETTINGS, (name) => name);
}

export function searchOverrides(options: Options): {
  readonly settings: SettingOverrides;
  readonly search: SearchOverrides;
} {
  return {
    settings: overrides(options, SETTINGS, (name) => camelCase(flagInSearch(name))),
    search: overrides(options, SEARCH_SETTINGS, (name) => name),
  };
}

type Options = Readonly<Record<string, unknown>>;
/** How a setting of the evaluations is called where a search has one of the same name. */
export function flagInSearch(name: string): string {
  return Object.hasOwn(SEARCH_SETTINGS, name) ? `calibration-${name}` : kebabCase(name);
}

export function addFlags(command: Command, table: SettingTable, flag: (name: string) => string): Command {
  for (const [name, row] of Object.entries(table)) command.addOption(settingFlag(flag(name), row));
  return command;
}

export function overrides(
  options: Options,
  table: SettingTable,
  option: (name: string) => string,
): Record<string, never> {
  const given = Object.keys(table).filter((name) => options[option(name)] !== undefined);
  return Object.fromEntries(given.map((name) => [name, options[option(name)]])) as Record<string, never>;
}

/** One flag, whose help, choices and range are the row's. */
export function settingFlag(flag: string, row: SettingRow): Option {
  const documentation = `${row.documentation} (default: ${row.default})`;
  if (row.kind === 'choice') return new Option(`--${flag} <choice>`, documentation).choices([...row.choices]);
  const takes = { integer: 'count', number: 'number', text: 'text' }[row.kind];
  return new Option(`--${flag} <${takes}>`, documentation).argParser((text) => parseSetting(row, text));
}

/** The value of a setting. @throws InvalidArgumentError that says what the setting takes */
export function parseSetting(row: SettingRow, text: string): number | string {
  switch (row.kind) {
    case 'text':
      return text;
    case 'choice':
      if (row.choices.includes(text)) return text;
      throw new InvalidArgumentError(`Allowed choices are ${row.choices.join(', ')}.`);
    case 'integer':
      return parseCount(text, row);
    case 'number':
      return parseNumber(text, row.minimum, row.maximum);
  }
}

function parseCount(text: string, row: NumberValues): number {
  const value = /^\d+$/.test(text) ? Number(text) : NaN;
  if (isInRange(row, value)) return value;
  throw new InvalidArgumentError(`It takes ${rangeText(row)}.`);
}

function parseNumber(text: string, minimum: number, maximum: number): number {
  const value = /^(\d+(\.\d*)?|\.\d+)(e[+-]?\d{1,3})?$/i.test(text) ? Number(text) : NaN;
  if (value >= minimum && value <= maximum) return value;
  throw new InvalidArgumentError(`It takes a number from ${minimum} to ${maximum}.`);
}

/** A flag's name among commander's parsed options, and back. */
export function camelCase(flag: string): string {
  return flag.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
}

export function kebabCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
