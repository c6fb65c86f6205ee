import { Option } from 'commander';
import type { Command } from 'commander';
import type { SearchMethod } from '../../search/kinds.ts';
import { DEFAULT_SEARCH_METHOD, SEARCH_METHOD_NAMES, SEARCH_METHODS } from '../../search/methods.ts';
import type { SettingRow } from '../../experiment/settingRow.ts';
import { SETTINGS } from '../../experiment/settings.ts';
import { propertiesOf, propertyOf } from '../../language/check/properties.ts';
import { collect } from '../commands/commandContext.ts';
import { addDevicesFlag } from './deviceFlags.ts';
import { said, typedDefault } from './saidFlags.ts';
import type { Options, SaidFlag } from './saidFlags.ts';
import { flagInSearch, kebabCase } from './flagNames.ts';
import { addFlags, PLACEHOLDERS, typedAs } from './settingFlags.ts';
import { addFinalTaskFlags } from './taskFlags.ts';
import { addInputFlags, saidText, SEARCHED_TEXTS } from './textFlags.ts';
import type { PropertyName } from '../../language/check/property.ts';

/**
 * The flags of searches: one for every property that a search by any method has. Methods share names (`--population`) and not their
 * ranges, so a value is read when the method is known, which a file may say.
 */

/** The flags that say what a search works on, the same for `evolve` and `search`. */
export function addSearchInputs(command: Command): Command {
  command
    .option('--search <name>', 'which search of the file')
    .option('--resume <run>', 'go on with a run: its id, or the beginning of it (`espalier runs` lists them)')
    .option(
      '--recover',
      'with --resume: go on from what stands before the damage of a journal; it is kept beside as it was',
    );
  addDevicesFlag(command);
  return addFinalTaskFlags(addInputFlags(command, SEARCHED_TEXTS, 'text or data set whose perplexity is the fitness'))
    .option('--sparsity <share>', 'weights to remove: 50%, 2:4, 4:8 (default: 50%)')
    .option('--operands <list>', 'leaves of the trees, as W,X (default: W,X,G)')
    .option('--operations <list>', 'nodes of the trees, as mul,sqrt,mms (default: Pruner-Zero’s)')
    .option('--from <metric>', 'start from this metric, of the file or as an expression; may be repeated', collect)
    .option('--baseline <what>', BASELINE_HELP, collect)
    .option(
      '--update <method>',
      'what becomes of the weights that stay before the fitness is taken: sparsegpt, admm, or reconstruct where whole components go',
    );
}

const BASELINE_HELP =
  'compare with this: a metric of the file, an expression, or one of magnitude, wanda, taylor, pruner-zero; of self-pruner and evopress rates (uniform, owl, 0.2,0.4); of policy-gradient a method, a metric, or structure(flap, global); may be repeated';

/** One flag for every setting of every method. */
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

/** What of a search's own was typed; in the block of its method each is read as it has it. @param folder that paths start from */
export function saidSearch(options: Options, method: SearchMethod, folder: string): readonly SaidFlag[] {
  const isRates = propertyOf(method, 'baselines')?.value === 'rates';
  // A list of rates stands without brackets.
  const listed = (value: string): string => (/^[\s\d.%,]+$/.test(value) ? `[${value}]` : value);
  return [
    { flag: 'method', name: 'method', values: [method] },
    ...saidText(options, 'test', folder),
    ...said(options, 'sparsity', 'at'),
    ...OWN_INPUTS.flatMap((name) => said(options, name, name)),
    ...said(options, 'baseline', 'baselines', isRates ? { wrap: listed } : {}),
    ...[...usesByName()].flatMap(([name, uses]) => {
      const own = uses.find((use) => use.method === method) ?? uses[0]!;
      return said(options, kebabCase(name), name, typedAs(own.row));
    }),
  ];
}

const OWN_INPUTS = [
  'operands',
  'operations',
  'from',
  'target',
  'score',
  'update',
] as const satisfies readonly PropertyName[];

interface Use {
  readonly method: SearchMethod;
  readonly row: SettingRow;
}

function usesByName(): ReadonlyMap<PropertyName, readonly Use[]> {
  const uses = new Map<PropertyName, Use[]>();
  for (const method of SEARCH_METHOD_NAMES) {
    for (const { name, setting } of propertiesOf(method)) {
      if (setting?.of !== 'search' && setting?.of !== 'llm') continue;
      uses.set(name, [...(uses.get(name) ?? []), { method, row: setting.row }]);
    }
  }
  return uses;
}

/** One flag for all methods that have it; what it takes is checked when the method is known. */
function mergedFlag(name: string, uses: readonly Use[]): Option {
  const methods = new Map<string, string[]>();
  for (const { method, row } of uses) {
    const text = help(row);
    methods.set(text, [...(methods.get(text) ?? []), method]);
  }
  const documentation = [...methods].map(([text, of]) => `${of.join(', ')}: ${text}`).join('; ');
  const placeholders = new Set(uses.map(({ row }) => PLACEHOLDERS[row.kind]));
  return new Option(`--${kebabCase(name)} <${[...placeholders].join('|')}>`, documentation);
}

function help(row: SettingRow): string {
  const choices = row.kind === 'choice' ? ` (${row.choices.join(', ')})` : '';
  const value = row.default === '' ? '' : ` (default: ${typedDefault(row)})`;
  return `${row.documentation}${choices}${value}`;
}
