import { InvalidArgumentError, Option } from 'commander';
import type { Command } from 'commander';
import {
  DEFAULT_RECOVERY_SETTINGS,
  RECOVERY_METHODS,
  RECOVERY_METHOD_NAMES,
  RECOVERY_SETTINGS,
} from '../../experiment/recovery.ts';
import type { Recovery, RecoveryMethod, RecoverySettingName } from '../../experiment/recovery.ts';
import { isInRange, rangeText } from '../../experiment/settingRow.ts';
import type { SettingRow } from '../../experiment/settingRow.ts';
import { SETTINGS } from '../../experiment/settings.ts';
import { camelCase, kebabCase } from './flagNames.ts';
import type { Options } from './saidFlags.ts';
import { settingFlag } from './settingFlags.ts';

const NAMES = Object.keys(RECOVERY_SETTINGS) as readonly RecoverySettingName[];

/** How a setting of a recovery is called: evaluations have a `length` and a `seed` of their own. */
function flagOf(name: RecoverySettingName): string {
  return Object.hasOwn(SETTINGS, name) ? `train-${name}` : kebabCase(name);
}

/** A flag for what is trained, and one for every setting of it. */
export function addRecoveryFlags(command: Command): Command {
  const methods = RECOVERY_METHOD_NAMES.map((name) => `${name}: ${RECOVERY_METHODS[name].title}`).join('; ');
  command.addOption(
    new Option('--method <method>', `what is trained; ${methods} (default: that of the file, or lora)`).choices([
      ...RECOVERY_METHOD_NAMES,
    ]),
  );
  for (const name of NAMES) {
    const row: SettingRow = RECOVERY_SETTINGS[name];
    const option = settingFlag(flagOf(name), row);
    command.addOption(row.kind === 'choice' ? option : option.argParser((typed) => parseNumber(typed, row)));
  }
  return command;
}

/** The recovery that flags say. @param own what a file says, which flags lie over */
export function saidRecovery(options: Options, own: Recovery | undefined): Recovery {
  const typed = NAMES.flatMap((name) => {
    const value = options[camelCase(flagOf(name))];
    return value === undefined ? [] : [[name, value] as const];
  });
  const method = options['method'] as RecoveryMethod | undefined;
  // Each was checked against its row when it was parsed.
  const settings = Object.fromEntries(typed) as Partial<Recovery>;
  return { method: 'lora', ...DEFAULT_RECOVERY_SETTINGS, ...own, ...settings, ...(method && { method }) };
}

function parseNumber(typed: string, row: SettingRow): number {
  const value = typed.trim() === '' ? NaN : Number(typed);
  if (row.kind !== 'integer' && row.kind !== 'number') throw new InvalidArgumentError('It takes no number.');
  if (isInRange(row, value) && (row.kind === 'number' || Number.isInteger(value))) return value;
  throw new InvalidArgumentError(`It takes ${rangeText(row, row.kind === 'integer' ? 'a whole number' : 'a number')}.`);
}
