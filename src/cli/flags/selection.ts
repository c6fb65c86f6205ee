import { type Command, InvalidArgumentError } from 'commander';
import type { EvaluationPlan } from '../../experiment/planSchema.ts';
import { OWL_SETTING_NAMES } from '../../experiment/owlSettings.ts';
import { parseSparsity } from '../../experiment/sparsity.ts';
import type { Sparsity } from '../../experiment/sparsitySchema.ts';
import type { PrunedMetric } from '../../language/check/document.ts';
import { collect, usageError } from '../commands/commandContext.ts';
import type { CommandContext } from '../commands/commandContext.ts';
import { readMetric } from './metricText.ts';
import { overridePlans, planOfFlags } from './plans.ts';
import type { PlanFlags } from './plans.ts';
import { plansOfFile } from './pruneFile.ts';
import { addSettingFlags, camelCase, settingOverrides } from './settingFlags.ts';
import { addAllocationFlags, allocationOf, STRUCTURE_HELP, structurePrunings } from './structureFlags.ts';
import type { AllocationOptions } from './structureFlags.ts';

/** The flags that say what is pruned, how, and what it is evaluated on: the same in every command that prunes. */
export interface SelectionOptions extends AllocationOptions, Readonly<Record<string, unknown>> {
  readonly metric?: readonly string[];
  readonly expression?: readonly string[];
  readonly structure?: readonly string[];
  readonly sparsity?: readonly Sparsity[];
  readonly model?: string;
  readonly text?: string;
  readonly calibration?: string;
}

export function addSelectionFlags(command: Command): Command {
  command
    .option('--metric <name>', 'only this metric or experiment of the file; may be repeated', collect(String))
    .option(
      '--expression <metric>',
      'a metric without a file, infix or prefix: "W * sqrt(X)", "mul(W, sqrt(X))"; or tree.json, a tree of Pruner-Zero; may be repeated',
      collect(String),
    )
    .option('--structure <score>', `${STRUCTURE_HELP}; may be repeated`, collect(String))
    .option('--model <folder>', 'checkpoint folder (config.json, tokenizer.json, *.safetensors)')
    .option('--text <file>', 'UTF-8 text that the perplexity is taken on')
    .option('--calibration <file>', 'UTF-8 text that calibration samples are cut from')
    .option(
      '--sparsity <list>',
      'weights to remove: 50%, 2:4, 4:8, or several as 50%,2:4 (default: 50%)',
      collect(parseSparsities),
    );
  return addSettingFlags(addAllocationFlags(command));
}

/** The plans that a file and the flags ask for. */
export async function selectedPlans(
  file: string | undefined,
  options: SelectionOptions,
  context: CommandContext,
): Promise<readonly EvaluationPlan[]> {
  const expressions = options.expression ?? [];
  if (file !== undefined && expressions.length > 0) {
    throw usageError(
      'a file or --expression',
      'both',
      'Write the expression into the file as a metric, or leave the file out.',
    );
  }
  if (file === undefined && options.metric !== undefined) {
    throw usageError(
      'a .prune file with --metric',
      '--metric alone',
      'Name the file, or write the metric as --expression.',
    );
  }
  const flags = await planFlags(options, context.folder);
  const { structure: structures = [], metric: names = [] } = options;
  if (file !== undefined) {
    return overridePlans(await plansOfFile(file, { names, structures }, flags, context), flags, context.folder);
  }
  const alone = flags.rates ? '--allocation or --rates' : options.sparsity ? '--sparsity' : undefined;
  if (expressions.length + structures.length === 0 && alone !== undefined) {
    const remedy = 'Add --expression or --structure, or name a .prune file.';
    throw usageError(`a metric with ${alone}`, `${alone} alone`, remedy);
  }
  const prunings = [...flags.prunings, ...(await structurePrunings(structures, [], context.folder))];
  return [planOfFlags({ ...flags, prunings }, context.folder)];
}

/** Flags of a selection that say what goes, how much of it, and not what that is evaluated on. */
export const PRUNING_FLAGS = [
  ...(['metric', 'expression', 'structure', 'sparsity', 'rates', 'allocation'] as const),
  ...OWL_SETTING_NAMES.map((name) => camelCase(`owl-${name}`)),
];

/** @param folder that paths start from */
export async function planFlags(options: SelectionOptions, folder: string): Promise<PlanFlags> {
  const { model, text, calibration } = options;
  const rates = allocationOf(options);
  if (rates?.kind === 'given' && options.sparsity !== undefined) {
    throw usageError('--rates or --sparsity', 'both', 'The mean of the rates is the sparsity: leave --sparsity out.');
  }
  return {
    ...(model === undefined ? {} : { model }),
    ...(text === undefined ? {} : { text }),
    ...(calibration === undefined ? {} : { calibration }),
    prunings: await readMetrics(options.expression ?? [], folder),
    sparsities: options.sparsity ?? [],
    ...(rates && { rates }),
    settings: settingOverrides(options),
  };
}

async function readMetrics(texts: readonly string[], folder: string): Promise<readonly PrunedMetric[]> {
  const given = await Promise.all(texts.map((text) => readMetric(text, folder)));
  return given.map((metric) => ({ ...metric, metric: undefined }));
}

function parseSparsities(text: string): readonly Sparsity[] {
  return text.split(',').map((part) => {
    const sparsity = parseSparsity(part);
    if (sparsity !== undefined) return sparsity;
    throw new InvalidArgumentError(`${JSON.stringify(part)} is no sparsity: write 50%, 0.5, 2:4 or 4:8.`);
  });
}
