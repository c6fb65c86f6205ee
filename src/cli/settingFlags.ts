import { InvalidArgumentError, Option } from 'commander';
import type { Command } from 'commander';
import { SETTINGS } from '../experiment/settings.ts';
import type { EvaluationSettings, SettingName, SettingRow } from '../experiment/settings.ts';

/** Settings that stood on the command line; the others come from the file or from the defaults. */
export type SettingOverrides = Partial<EvaluationSettings>;

const NAMES = Object.keys(SETTINGS) as SettingName[];

/** One flag for every setting of an experiment, made from the one table of settings. */
export function addSettingFlags(command: Command): Command {
  for (const name of NAMES) command.addOption(settingFlag(name, SETTINGS[name]));
  return command;
}

/** The settings among commander's parsed options. */
export function settingOverrides(options: Readonly<Record<string, unknown>>): SettingOverrides {
  return Object.fromEntries(NAMES.filter((name) => options[name] !== undefined).map((name) => [name, options[name]]));
}

function settingFlag(name: SettingName, row: SettingRow<string> | SettingRow<number>): Option {
  const documentation = `${row.documentation} (default: ${row.default})`;
  if (row.kind === 'choice') {
    return new Option(`--${name} <choice>`, documentation).choices([...row.choices]);
  }
  return new Option(`--${name} <count>`, documentation).argParser((text) => parseCount(text, row.minimum, row.maximum));
}

function parseCount(text: string, minimum: number, maximum: number): number {
  const value = /^\d+$/.test(text) ? Number(text) : NaN;
  if (value >= minimum && value <= maximum) return value;
  throw new InvalidArgumentError(`It takes a whole number from ${minimum} to ${maximum}.`);
}
