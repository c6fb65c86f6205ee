import path from 'node:path';
import { Command, Option } from 'commander';
import type { ErrorData } from '../../base/errors.ts';
import { withText } from '../../experiment/planInputs.ts';
import type { TextPlan } from '../../experiment/planSchema.ts';
import type { EvaluationResult } from '../../experiment/resultSchema.ts';
import {
  sensitivities,
  SENSITIVITY_BY,
  SENSITIVITY_SPARSITIES,
  sensitivityPlan,
} from '../../experiment/sensitivity.ts';
import type { ModelParts, Sensitivity, SensitivityBy } from '../../experiment/sensitivity.ts';
import { COLUMN_STYLE } from '../../figures/printStyle.ts';
import { figurePdf } from '../../figures/pdf.ts';
import { figureSvg } from '../../figures/svg.ts';
import { writeWhole } from '../../files/writeWhole.ts';
import { sensitivityFigure } from '../../report/figures/sensitivityFigure.ts';
import { located } from '../flags/hubFlags.ts';
import { tellIdleFlags } from '../flags/idleFlags.ts';
import { addSelectionFlags, selectedPlans } from '../flags/selection.ts';
import type { SelectionOptions } from '../flags/selection.ts';
import type { EvaluationReport } from '../reports/evaluationReport.ts';
import { printFailure } from '../reports/failure.ts';
import { preflightPlans } from '../reports/preflightReport.ts';
import { sensitivityCsv, sensitivityJson, sensitivityLines } from '../reports/sensitivityReport.ts';
import { JSON_FLAG, usageError, withExamples } from './commandContext.ts';
import type { CommandContext } from './commandContext.ts';
import { evaluatePlans } from './evaluatePlans.ts';

interface SensitivityOptions extends SelectionOptions {
  readonly by: SensitivityBy;
  readonly to?: string;
  readonly json?: true;
  readonly csv?: true;
  readonly dryRun?: true;
}

/** A plan as it was asked for, and what it is made of. */
interface Asked {
  readonly plan: TextPlan;
  readonly model: ModelParts;
}

export function sensitivityCommand(context: CommandContext): Command {
  const command = new Command('sensitivity')
    .description('prune each block alone, or the layers of each type, and print what that does to the perplexity')
    .argument('[file]', '.prune file: its experiments, or its metrics where it has none; flags override what it says');
  addSelectionFlags(command)
    .addOption(
      new Option('--by <parts>', 'what is pruned alone: each block, or the layers of each type in all blocks')
        .choices(SENSITIVITY_BY)
        .default('blocks'),
    )
    .option('--to <path>', 'chart for print: a file that ends in .svg or .pdf, or a folder for both of each metric')
    .option(...JSON_FLAG)
    .addOption(new Option('--csv', 'as comma-separated values, with all digits').conflicts('json'))
    .option('--dry-run', 'only say what it would take: time, memory, disk')
    .action(async (file: string | undefined, options: SensitivityOptions) => {
      const asked = await askedOf(file, options, context);
      const plans = asked.map(({ plan, model }) => sensitivityPlan(plan, options.by, model));
      if (options.dryRun) {
        context.finish(await preflightPlans(plans, options.json === true, context));
        return;
      }
      const outcomes: (EvaluationResult | ErrorData)[][] = [];
      const code = await evaluatePlans(plans, collecting(outcomes, options, context), context);
      const found = asked.flatMap(({ plan, model }, i) => sensitivities(plan, options.by, model, outcomes[i]!));
      tell(found, options, context);
      if (options.to !== undefined) await writeCharts(found, path.resolve(context.folder, options.to), context);
      context.finish(code);
    });
  return withExamples(command, [
    ['each block at 20%, 50% and 80%', 'espalier sensitivity metrics.prune --metric wanda'],
    [
      'the layers of each type, as a chart for a paper',
      'espalier sensitivity metrics.prune --metric wanda --by layers --sparsity 50% --to layers.pdf',
    ],
    [
      'whole heads and channels, without a file',
      'espalier sensitivity --structure wanda-sp --model models/tiny --text wiki.test.raw --calibration wiki.valid.txt',
    ],
    ['what that takes, before it begins', 'espalier sensitivity metrics.prune --metric wanda --dry-run'],
  ]);
}

/** @throws EspalierError `cli/usage` */
async function askedOf(
  file: string | undefined,
  options: SensitivityOptions,
  context: CommandContext,
): Promise<readonly Asked[]> {
  for (const flag of ['rates', 'allocation'] as const) {
    if (options[flag] === undefined) continue;
    throw usageError('one rate, of what is pruned alone', `--${flag}`, 'Say --sparsity.');
  }
  const { calibrate } = options;
  if (typeof calibrate === 'string' && calibrate !== 'one-shot') {
    const remedy = 'Leave the flag out: what comes before a part that is pruned alone is dense.';
    throw usageError('one-shot calibration', calibrate, remedy);
  }
  const sparsity = options['sparsity'] ?? [SENSITIVITY_SPARSITIES];
  const selected = await selectedPlans(file, { ...options, sparsity }, context);
  tellIdleFlags(selected, options, context);
  const metrics = new Set(selected.flatMap(({ evaluations }) => evaluations.map(({ metric }) => metric)));
  if (metrics.size === 0) throw usageError('a metric', 'none', 'Name a .prune file, --expression or --structure.');
  if (metrics.size > 1 && options.to !== undefined && formatOf(options.to)) {
    throw usageError('one metric for one chart', [...metrics].join(', '), 'Choose with --metric, or name a folder.');
  }
  const engine = await context.createEngine();
  try {
    const asked: Asked[] = [];
    for (const one of selected) {
      const plan = withText(await located(one, options, context), 'taking the sensitivity');
      asked.push({ plan, model: await engine.describe(plan.model) });
    }
    return asked;
  } finally {
    await engine.dispose();
  }
}

/** Keeps what comes of each plan's evaluations, in their order; tells failures at once. */
function collecting(
  outcomes: (EvaluationResult | ErrorData)[][],
  { json }: SensitivityOptions,
  { terminal }: CommandContext,
): EvaluationReport {
  return {
    begin: () => {
      outcomes.push([]);
    },
    result: (result) => {
      outcomes.at(-1)!.push(result);
    },
    failure: (_, error) => {
      outcomes.at(-1)!.push(error);
      // Those who read JSON have it with the others.
      if (!json) for (const line of printFailure(error, terminal.err)) terminal.say(line);
    },
    end: () => undefined,
  };
}

function tell(found: readonly Sensitivity[], { json, csv }: SensitivityOptions, { terminal }: CommandContext): void {
  if (csv) terminal.print(sensitivityCsv(found).trimEnd());
  else {
    for (const [i, one] of found.entries()) {
      if (i > 0 && !json) terminal.print('');
      terminal.print(json ? sensitivityJson(one) : sensitivityLines(one));
    }
  }
}

async function writeCharts(found: readonly Sensitivity[], to: string, { terminal }: CommandContext): Promise<void> {
  const format = formatOf(to);
  const files = found.flatMap((one, i): [string, string | Uint8Array][] => {
    const figure = sensitivityFigure(one);
    const words = one.metric.toLowerCase().match(/[a-z0-9]+/g) ?? ['metric'];
    const name = `${one.by}-${words.join('-').slice(0, 60)}${found.length > 1 ? `-${i + 1}` : ''}`;
    const svg = (): string => figureSvg(figure, COLUMN_STYLE);
    const pdf = (): Uint8Array => figurePdf(figure, COLUMN_STYLE);
    if (format) return [[to, format === 'svg' ? svg() : pdf()]];
    return [
      [path.join(to, `${name}.svg`), svg()],
      [path.join(to, `${name}.pdf`), pdf()],
      [path.join(to, `${name}.csv`), sensitivityCsv([one])],
    ];
  });
  for (const [file, data] of files) {
    await writeWhole(file, data);
    terminal.say(`wrote ${file}`);
  }
}

/** Of a single chart; undefined for a folder. */
function formatOf(to: string): 'svg' | 'pdf' | undefined {
  const found = /\.(svg|pdf)$/i.exec(to)?.[1]?.toLowerCase();
  return found as 'svg' | 'pdf' | undefined;
}
