import { dirname } from 'node:path';
import { InvalidArgumentError, Option } from 'commander';
import type { Command } from 'commander';
import type { EspalierError } from '../../base/errors.ts';
import type { EvaluationPlan } from '../../experiment/planSchema.ts';
import type { PlannedText } from '../../experiment/corpusRows.ts';
import { OWL_SETTING_NAMES, OWL_SETTINGS } from '../../experiment/owlSettings.ts';
import { isInRange, rangeText } from '../../experiment/settingRow.ts';
import type { NumberValues } from '../../experiment/settingRow.ts';
import { ALLOCATIONS, STRUCTURE_METHOD_NAMES } from '../../experiment/structure.ts';
import { blocksWith, propertyOf } from '../../language/check/properties.ts';
import type { BlockKind } from '../../language/check/properties.ts';
import type { CompiledDocument, Pruning } from '../../language/check/document.ts';
import type { PlanOverlay } from '../../language/plan/overlay.ts';
import { UnfitOverlay } from '../../language/plan/planErrors.ts';
import { collect, usageError } from '../commands/commandContext.ts';
import type { CommandContext } from '../commands/commandContext.ts';
import type { DownloadOptions } from './hubFlags.ts';
import { MetricReader } from './metricReader.ts';
import { missingFlags } from './missingFlags.ts';
import { compileFile } from './pruneFile.ts';
import { camelCase } from './flagNames.ts';
import { readFlags, said } from './saidFlags.ts';
import type { Options, SaidFlag } from './saidFlags.ts';
import { addSettingFlags, saidSettings, settingFlag } from './settingFlags.ts';
import { saidTasks, taskOverlay } from './taskFlags.ts';
import { addInputFlags, EVALUATED_TEXTS, saidInputs, saidRows } from './textFlags.ts';

/** The flags that say what is pruned, how, and what it is evaluated on: the same in every command that prunes. */
export interface SelectionOptions extends Options, DownloadOptions {
  readonly metric?: readonly string[];
  readonly expression?: readonly string[];
  readonly structure?: readonly string[];
}

/** @param texts those that the command takes */
export function addSelectionFlags(command: Command, texts: readonly PlannedText[] = EVALUATED_TEXTS): Command {
  addInputFlags(command, texts);
  command
    .option('--metric <name>', 'only this metric or experiment of the file; may be repeated', collect)
    .option(
      '--expression <metric>',
      'a metric without a file, infix or prefix: "W * sqrt(X)", "mul(W, sqrt(X))"; or tree.json, a tree of Pruner-Zero; may be repeated',
      collect,
    )
    .option(
      '--structure <score>',
      `whole heads and channels by ${STRUCTURE_METHOD_NAMES.join(', ')}, or by a metric: of the file, or an expression; may be repeated`,
      collect,
    )
    .option(
      '--update <method>',
      'what becomes of the weights that stay: sparsegpt or admm after a metric, reconstruct after --structure; with settings as "admm (iterations: 50)"',
    )
    .option('--sparsity <list>', 'weights to remove: 50%, 2:4, 4:8, or several as 50%,2:4 (default: 50%)', collect)
    .addOption(
      new Option('--allocation <rates>', 'how much of each block goes (default: uniform)').choices([...ALLOCATIONS]),
    )
    .option(
      '--rates <list>',
      'how much of each block goes, one rate for each, as 0.2,0.4 or 20%,40%; says the sparsity too',
    );
  for (const name of OWL_SETTING_NAMES) {
    const row = OWL_SETTINGS[name];
    const option = settingFlag(`owl-${name}`, { ...row, documentation: `--allocation owl: ${row.documentation}` });
    command.addOption(option.argParser((typed) => parseNumber(typed, row)));
  }
  return addSettingFlags(command);
}

/** The plans that a file and the flags ask for. */
export async function selectedPlans(
  file: string | undefined,
  options: SelectionOptions,
  context: Pick<CommandContext, 'folder' | 'terminal'>,
): Promise<readonly EvaluationPlan[]> {
  const { expression, structure, metric: names = [] } = options;
  if (file !== undefined && expression !== undefined) {
    const remedy = 'Write the expression into the file as a metric, or leave the file out.';
    throw usageError('a file or --expression', 'both', remedy);
  }
  if (file === undefined && options.metric !== undefined) {
    const remedy = 'Name the file, or write the metric as --expression.';
    throw usageError('a .prune file with --metric', '--metric alone', remedy);
  }
  const source = file === undefined ? undefined : await compileFile(file, context);
  const { prunings, overlay } = await readSelection(source?.document, options, context);
  const alone = overlay.allocation
    ? '--allocation or --rates'
    : overlay.at
      ? '--sparsity'
      : overlay.update
        ? '--update'
        : undefined;
  if (file === undefined && alone !== undefined && prunings.length === 0) {
    const remedy = 'Add --expression or --structure, or name a .prune file.';
    throw usageError(`a metric with ${alone}`, `${alone} alone`, remedy);
  }
  const [{ compile }, { plansFor, planWith }] = await Promise.all([
    import('../../language/check/compile.ts'),
    import('../../language/plan/plan.ts'),
  ]);
  try {
    if (source === undefined) {
      return [planWith(compile(''), 'what the flags say', prunings, { folder: context.folder, overlay })];
    }
    const { document, path } = source;
    const inFile = { folder: dirname(path), overlay };
    const asked = names.length + prunings.length === 0 ? [undefined] : names;
    const named = asked.flatMap((name) => plansFor(document, name, inFile));
    const given = prunings.length === 0 ? [] : [planWith(document, (structure ?? []).join(', '), prunings, inFile)];
    return joinPlans([...named, ...given]);
  } catch (thrown) {
    if (thrown instanceof UnfitOverlay) throw unfitFlag(thrown, options);
    throw missingFlags(thrown, 'evaluate', source !== undefined);
  }
}

/** Flags of a selection that say what goes, how much of it, and not what that is evaluated on. */
export const PRUNING_FLAGS = [
  ...(['metric', 'expression', 'structure', 'sparsity', 'rates', 'allocation'] as const),
  ...OWL_SETTING_NAMES.map((name) => camelCase(`owl-${name}`)),
];

/**
 * What the flags of a selection say.
 *
 * @param file in whose names they are read
 * @throws EspalierError `cli/usage`, `metric/syntax`
 */
export async function readSelection(
  file: CompiledDocument | undefined,
  options: SelectionOptions,
  { folder }: Pick<CommandContext, 'folder'>,
): Promise<{ readonly prunings: readonly Pruning[]; readonly overlay: PlanOverlay }> {
  const allocation = allocationFlag(options);
  if (allocation?.flag === 'rates' && options['sparsity'] !== undefined) {
    throw usageError('--rates or --sparsity', 'both', 'The mean of the rates is the sparsity: leave --sparsity out.');
  }
  const metrics = new MetricReader(file, folder);
  const read = async (flags: readonly SaidFlag[]) => (await readFlags('experiment', flags, metrics)).content;
  const inputs = saidInputs(options, folder);
  const { prune, ...overlay } = await read([
    ...inputs,
    ...said(options, 'expression', 'prune'),
    ...said(options, 'sparsity', 'at'),
    ...saidTasks(options),
    ...saidSettings(options),
  ]);
  const rows = await saidRows(options, metrics);
  const structures = await read(
    said(options, 'structure', 'prune', { like: 'wanda-sp', wrap: (score) => `structure(${score})` }),
  );
  const anyOf = anyUpdate();
  const byMethod = { flag: 'method', name: 'method', values: [anyOf] } as const;
  const { update } = (await readFlags(anyOf, [byMethod, ...said(options, 'update', 'update')], metrics)).content;
  const [allocated] = allocation ? ((await read([allocation])).prune ?? []) : [];
  return {
    prunings: [...(prune ?? []), ...(structures.prune ?? [])],
    overlay: {
      ...overlay,
      ...taskOverlay(options, overlay, folder),
      ...rows,
      ...(allocated?.rates && { allocation: allocated.rates }),
      ...(update && { update }),
    },
  };
}

/** A block whose update may be of either: of single weights or of whole components. */
function anyUpdate(): BlockKind {
  return blocksWith('update').find((kind) => propertyOf(kind, 'update')?.updates === 'any')!;
}

/** A number that is put among the words of a clause, where nothing else is to get. */
function parseNumber(typed: string, values: NumberValues): number {
  const value = typed.trim() === '' ? NaN : Number(typed);
  if (isInRange(values, value)) return value;
  throw new InvalidArgumentError(`It takes ${rangeText(values, 'a number')}.`);
}

/** What lies over a file, or over the flags' own metrics, by the flag that says it. */
function unfitFlag({ property, label, data }: UnfitOverlay, options: Options): EspalierError {
  if (property === 'update') return usageError(`--update that fits \`${label}\``, data.actual, data.remedy);
  const fit = `${options['rates'] === undefined ? '--allocation' : '--rates'} fit for \`${label}\``;
  return usageError(property === 'at' ? `--sparsity with ${data.expected}` : fit, data.actual, data.remedy);
}

/** How much of each block goes, as the rates of a clause. @throws EspalierError for flags that contradict each other */
function allocationFlag(options: Options): SaidFlag | undefined {
  const [rates] = said(options, 'rates', 'prune', {
    like: '0.2,0.4',
    isNumbers: true,
    wrap: (list) => `structure(magnitude, [${list}])`,
  });
  const owl = OWL_SETTING_NAMES.filter((name) => options[camelCase(`owl-${name}`)] !== undefined);
  const given = owl.map((name) => `${name}: ${String(options[camelCase(`owl-${name}`)])}`).join(', ');
  const wrap = (word: string): string => `structure(magnitude, ${given === '' ? word : `${word}(${given})`})`;
  const [allocation] = said(options, 'allocation', 'prune', { like: 'owl', wrap });
  if (rates && allocation) {
    const remedy = 'The rates say all that there is to say: leave --allocation out.';
    throw usageError('--rates or --allocation', 'both', remedy);
  }
  if (owl.length > 0 && options['allocation'] !== 'owl') {
    const flag = `--owl-${owl[0]!}`;
    throw usageError(`${flag} with --allocation owl`, `${flag} without it`, 'Add --allocation owl, or leave it out.');
  }
  return rates ?? allocation;
}

/** Plans that share everything but what is pruned with are one, so that work is shared too. */
function joinPlans(plans: readonly EvaluationPlan[]): EvaluationPlan[] {
  const joined = new Map<string, EvaluationPlan>();
  for (const plan of plans) {
    const { evaluations, ...inputs } = plan;
    const key = JSON.stringify([inputs, evaluations.length > 0]);
    const known = joined.get(key)?.evaluations ?? [];
    const seen = new Set(known.map((evaluation) => JSON.stringify(evaluation)));
    const others = evaluations.filter((evaluation) => !seen.has(JSON.stringify(evaluation)));
    joined.set(key, { ...plan, evaluations: [...known, ...others] });
  }
  return [...joined.values()];
}
