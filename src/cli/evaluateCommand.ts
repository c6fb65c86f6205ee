import { Command, InvalidArgumentError } from 'commander';
import type { EvaluationPlan } from '../experiment/plan.ts';
import { parseSparsity } from '../experiment/sparsity.ts';
import type { Sparsity } from '../experiment/sparsity.ts';
import { collect, JSON_FLAG, usageError, withExamples } from './commandContext.ts';
import type { CommandContext } from './commandContext.ts';
import { evaluatePlans } from './evaluatePlans.ts';
import { humanReport, jsonReport } from './evaluationReport.ts';
import { preflightPlans } from './preflightReport.ts';
import { overridePlans, planOfFlags } from './plans.ts';
import type { NamedExpression, PlanFlags } from './plans.ts';
import { plansOfFile } from './pruneFile.ts';
import { addSettingFlags, settingOverrides } from './settingFlags.ts';

interface EvaluateOptions extends Readonly<Record<string, unknown>> {
  readonly metric?: readonly string[];
  readonly expression?: readonly string[];
  readonly sparsity?: readonly Sparsity[];
  readonly model?: string;
  readonly text?: string;
  readonly calibration?: string;
  readonly json?: true;
  readonly dryRun?: true;
}

export function evaluateCommand(context: CommandContext): Command {
  const command = new Command('evaluate')
    .description(
      'prune a checkpoint with metrics and print the perplexity of each beside the dense one; without a metric, the dense one',
    )
    .argument('[file]', '.prune file: its experiments, or its metrics where it has none; flags override what it says')
    .option('--metric <name>', 'only this metric or experiment of the file; may be repeated', collect(String))
    .option(
      '--expression <metric>',
      'a metric without a file, infix or prefix: "W * sqrt(X)", "mul(W, sqrt(X))"; may be repeated',
      collect(String),
    )
    .option('--model <folder>', 'checkpoint folder (config.json, tokenizer.json, *.safetensors)')
    .option('--text <file>', 'UTF-8 text that the perplexity is taken on')
    .option('--calibration <file>', 'UTF-8 text that calibration samples are cut from')
    .option(
      '--sparsity <list>',
      'weights to remove: 50%, 2:4, 4:8, or several as 50%,2:4 (default: 50%)',
      collect(parseSparsities),
    );
  addSettingFlags(command)
    .option(...JSON_FLAG)
    .option('--dry-run', 'only say what it would take: time, memory, disk')
    .action(async (file: string | undefined, options: EvaluateOptions) => {
      const plans = await requestedPlans(file, options, context);
      if (options.dryRun) {
        context.finish(await preflightPlans(plans, options.json === true, context));
        return;
      }
      const report = options.json ? jsonReport(context.terminal) : humanReport(context.terminal);
      context.finish(await evaluatePlans(plans, report, context));
    });
  return withExamples(command, [
    ['every experiment of a file', 'espalier evaluate metrics.prune'],
    ['one metric of it, at another sparsity', 'espalier evaluate metrics.prune --metric wanda --sparsity 2:4'],
    [
      'without a file',
      'espalier evaluate --expression "W * sqrt(X)" --sparsity 50%,2:4 --model models/tiny \\\n' +
        '    --text wiki.test.raw --calibration wiki.valid.txt --samples 16 --length 256 --blocks 64',
    ],
    ['what that takes, before it begins', 'espalier evaluate metrics.prune --dry-run'],
    ['the dense perplexity', 'espalier evaluate --model models/tiny --text wiki.test.raw --length 256'],
  ]);
}

async function requestedPlans(
  file: string | undefined,
  options: EvaluateOptions,
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
  if (file === undefined && expressions.length === 0 && options.sparsity !== undefined) {
    throw usageError('a metric with --sparsity', '--sparsity alone', 'Add --expression, or name a .prune file.');
  }
  const flags = await planFlags(options);
  if (file === undefined) return [planOfFlags(flags, context.folder)];
  return overridePlans(await plansOfFile(file, options.metric ?? [], flags, context), flags, context.folder);
}

async function planFlags(options: EvaluateOptions): Promise<PlanFlags> {
  const { model, text, calibration } = options;
  return {
    ...(model === undefined ? {} : { model }),
    ...(text === undefined ? {} : { text }),
    ...(calibration === undefined ? {} : { calibration }),
    expressions: await parseExpressions(options.expression ?? []),
    sparsities: options.sparsity ?? [],
    settings: settingOverrides(options),
  };
}

async function parseExpressions(texts: readonly string[]): Promise<NamedExpression[]> {
  if (texts.length === 0) return [];
  const { parseExpression } = await import('../language/compile.ts');
  return texts.map((text) => ({ metric: text.trim(), expression: parseExpression(text) }));
}

function parseSparsities(text: string): readonly Sparsity[] {
  return text.split(',').map((part) => {
    const sparsity = parseSparsity(part);
    if (sparsity !== undefined) return sparsity;
    throw new InvalidArgumentError(`${JSON.stringify(part)} is no sparsity: write 50%, 0.5, 2:4 or 4:8.`);
  });
}
