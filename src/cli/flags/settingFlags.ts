import { Option } from 'commander';
import type { Command } from 'commander';
import type { SettingRow, SettingTable } from '../../experiment/settingRow.ts';
import { SETTINGS } from '../../experiment/settings.ts';
import type { SettingName } from '../../experiment/settings.ts';
import { propertyOfSetting } from '../../language/check/settingProperties.ts';
import { kebabCase } from './flagNames.ts';
import { said, typedDefault } from './saidFlags.ts';
import type { Options, SaidFlag } from './saidFlags.ts';

/** One flag for every setting of an evaluation, made from the one table of settings. */
export function addSettingFlags(command: Command): Command {
  return addFlags(command, SETTINGS, kebabCase);
}

/** The settings of an evaluation that were typed. @param flag what each is called */
export function saidSettings(options: Options, flag = kebabCase): readonly SaidFlag[] {
  const names = Object.keys(SETTINGS) as SettingName[];
  return names.flatMap((name) => said(options, flag(name), propertyOfSetting(name), typedAs(SETTINGS[name])));
}

export function addFlags(command: Command, table: SettingTable, flag: (name: string) => string): Command {
  for (const [name, row] of Object.entries(table)) command.addOption(settingFlag(flag(name), row));
  return command;
}

/** One flag, whose help and choices are the row's. */
export function settingFlag(flag: string, row: SettingRow): Option {
  const value = row.default === '' ? '' : ` (default: ${typedDefault(row)})`;
  const documentation = `${row.documentation}${value}`;
  const option = new Option(`--${flag} <${PLACEHOLDERS[row.kind]}>`, documentation);
  return row.kind === 'choice' ? option.choices([...row.choices]) : option;
}

/** What stands for the value in the help. */
export const PLACEHOLDERS: Readonly<Record<SettingRow['kind'], string>> = {
  choice: 'choice',
  integer: 'count',
  list: 'list',
  number: 'number',
  text: 'text',
};

/** How what is typed for a setting is read: a text as it is, a list with brackets around it or without them. */
export function typedAs(row: SettingRow): Pick<SaidFlag, 'isText' | 'wrap'> {
  if (row.kind === 'text') return { isText: true };
  return row.kind === 'list' ? { wrap: (typed) => (typed.trimStart().startsWith('[') ? typed : `[${typed}]`) } : {};
}
