import { InvalidArgumentError, Option } from 'commander';
import type { Command } from 'commander';
import { LLM_SETTINGS } from '../../search/rates/llm.ts';
import type { RunKind, RunMethod } from '../../search/kinds.ts';
import { DEFAULT_SEARCH_METHOD, SEARCH_METHOD_NAMES, SEARCH_METHODS } from '../../search/methods.ts';
import type { SettingRow, SettingTable } from '../../experiment/settingRow.ts';
import { SETTINGS } from '../../experiment/settings.ts';
import { usageError } from '../commands/commandContext.ts';
import { addFlags, camelCase, flagInSearch, kebabCase, overrides, parseSetting } from './settingFlags.ts';
import type { SettingOverrides } from './settingFlags.ts';
import { MASK_SEARCH_SETTINGS } from '../../search/masks/settings.ts';
import { SEARCH_SETTINGS } from '../../search/metrics/settings.ts';
import { RATE_SEARCH_SETTINGS } from '../../search/rates/settings.ts';

/**
 * The flags of `espalier search`: one for every setting of every method, made from the tables. Methods share names (`--population`) and
 * not their ranges, so a value is read when the method is known, which a file may say.
 */

interface Table {
  readonly finds: RunKind;
  readonly of: 'search' | 'llm';
  readonly rows: SettingTable;
}

const TABLES: readonly Table[] = [
  { finds: 'metrics', of: 'search', rows: SEARCH_SETTINGS },
  { finds: 'rates', of: 'search', rows: RATE_SEARCH_SETTINGS },
  { finds: 'rates', of: 'llm', rows: LLM_SETTINGS },
  { finds: 'masks', of: 'search', rows: MASK_SEARCH_SETTINGS },
];

/** Flags that are no settings, and what is found by the methods that have them. */
const OWN_FLAGS: Readonly<Record<string, RunKind>> = {
  operands: 'metrics',
  operations: 'metrics',
  from: 'metrics',
  target: 'rates',
  score: 'masks',
};

type Options = Readonly<Record<string, unknown>>;

export function addAllSearchFlags(command: Command): Command {
  const methods = SEARCH_METHOD_NAMES.map((name) => `${name}: ${SEARCH_METHODS[name].documentation}`).join('; ');
  command.addOption(
    new Option('--method <method>', `${methods} (default: that of the file, or ${DEFAULT_SEARCH_METHOD})`).choices([
      ...SEARCH_METHOD_NAMES,
    ]),
  );
  for (const [name, uses] of usesByName()) command.addOption(mergedFlag(name, uses));
  // Each method has a seed of its own: that of the samples is called otherwise, as in `evolve`.
  return addFlags(command, SETTINGS, flagInSearch);
}

/** The settings that stood on the command line, read as the method has them. */
export interface MethodOverrides {
  readonly settings: SettingOverrides;
  readonly search: Readonly<Record<string, number | string>>;
  readonly llm: Readonly<Record<string, number | string>>;
}

/** @throws EspalierError `cli/usage` for a flag of another method, and for a value that this method's setting does not have */
export function methodOverrides(options: Options, method: RunMethod): MethodOverrides {
  const { finds } = SEARCH_METHODS[method];
  const found: Record<Table['of'], Record<string, number | string>> = { search: {}, llm: {} };
  for (const [name, uses] of usesByName()) {
    const text = options[name];
    if (typeof text !== 'string') continue;
    const use = uses.find((one) => one.table.finds === finds);
    if (use === undefined)
      throw otherMethod(
        kebabCase(name),
        uses.map(({ table }) => table.finds),
        method,
      );
    found[use.table.of][name] = readValue(kebabCase(name), use.row, text, method);
  }
  for (const [flag, kind] of Object.entries(OWN_FLAGS)) {
    if (options[flag] !== undefined && kind !== finds) throw otherMethod(flag, [kind], method);
  }
  return { settings: overrides(options, SETTINGS, (name) => camelCase(flagInSearch(name))), ...found };
}

interface Use {
  readonly table: Table;
  readonly row: SettingRow;
}

function usesByName(): ReadonlyMap<string, readonly Use[]> {
  const uses = new Map<string, Use[]>();
  for (const table of TABLES) {
    for (const [name, row] of Object.entries(table.rows)) {
      if (name !== 'method') uses.set(name, [...(uses.get(name) ?? []), { table, row }]);
    }
  }
  return uses;
}

/** One flag for all methods that have it; what it takes is checked when the method is known. */
function mergedFlag(name: string, uses: readonly Use[]): Option {
  const methods = new Map<string, string[]>();
  for (const { table, row } of uses) {
    const text = help(row);
    methods.set(text, [...(methods.get(text) ?? []), methodsOf(table.finds)]);
  }
  const documentation = [...methods].map(([text, of]) => `${of.join(', ')}: ${text}`).join('; ');
  return new Option(`--${kebabCase(name)} <${placeholder(uses[0]!.row)}>`, documentation);
}

function help(row: SettingRow): string {
  const choices = row.kind === 'choice' ? ` (${row.choices.join(', ')})` : '';
  const value = row.default === '' ? '' : ` (default: ${row.default})`;
  return `${row.documentation}${choices}${value}`;
}

function placeholder(row: SettingRow): string {
  return { choice: 'choice', integer: 'count', number: 'number', text: 'text' }[row.kind];
}

function readValue(flag: string, row: SettingRow, text: string, method: RunMethod): number | string {
  try {
    return parseSetting(row, text);
  } catch (thrown) {
    if (!(thrown instanceof InvalidArgumentError)) throw thrown;
    throw usageError(`--${flag} as ${method} has it`, JSON.stringify(text), thrown.message);
  }
}

function otherMethod(flag: string, kinds: readonly RunKind[], method: RunMethod): Error {
  const methods = kinds.map(methodsOf).join(', ');
  const remedy = `Leave it out, or choose the method: --method ${methods.split(', ')[0]!}.`;
  return usageError(`--${flag} with a method that has it (${methods})`, `--${flag} with ${method}`, remedy);
}

function methodsOf(kind: RunKind): string {
  return SEARCH_METHOD_NAMES.filter((name) => SEARCH_METHODS[name].finds === kind).join(', ');
}
