import { Command } from 'commander';
import type { EvaluationPlan } from '../../experiment/planSchema.ts';
import { JSON_FLAG, withExamples } from './commandContext.ts';
import type { CommandContext } from './commandContext.ts';
import { evaluatePlans } from './evaluatePlans.ts';
import { humanReport, jsonReport } from '../reports/evaluationReport.ts';
import { located } from '../flags/hubFlags.ts';
import { tellIdleFlags } from '../flags/idleFlags.ts';
import { preflightPlans } from '../reports/preflightReport.ts';
import { addSelectionFlags, selectedPlans } from '../flags/selection.ts';
import type { SelectionOptions } from '../flags/selection.ts';
import { addApartFlags, askedEvaluators } from '../flags/apartFlags.ts';
import type { ApartOptions } from '../flags/apartFlags.ts';
import { addTaskFlags } from '../flags/taskFlags.ts';

interface EvaluateOptions extends SelectionOptions, ApartOptions {
  readonly json?: true;
  readonly dryRun?: true;
  readonly details?: true;
}

export function evaluateCommand(context: CommandContext): Command {
  const command = new Command('evaluate')
    .description(
      'prune a checkpoint with metrics and print the perplexity of each beside the dense one; without a metric, the dense one',
    )
    .argument('[file]', '.prune file: its experiments, or its metrics where it has none; flags override what it says');
  addApartFlags(addTaskFlags(addSelectionFlags(command)))
    .option(...JSON_FLAG)
    .option('--dry-run', 'only say what it would take: time, memory, disk')
    .action(async (file: string | undefined, options: EvaluateOptions) => {
      const evaluators = askedEvaluators(options, context);
      const selected = await selectedPlans(file, options, context);
      tellIdleFlags(selected, options, context);
      const plans: EvaluationPlan[] = [];
      for (const plan of selected) plans.push(await located(plan, options, context));
      if (options.dryRun) {
        context.finish(await preflightPlans(plans, options.json === true, context));
        return;
      }
      const report = options.json ? jsonReport(context.terminal) : humanReport(context.terminal);
      const details = options.json === true && options.details === true;
      if (evaluators.kind === 'here') {
        context.finish(await evaluatePlans(plans, report, context, details));
        return;
      }
      const { evaluateApart } = await import('./evaluateApart.ts');
      context.finish(await evaluateApart(plans, report, context, { evaluators, details }));
    });
  return withExamples(command, [
    ['every experiment of a file', 'espalier evaluate metrics.prune'],
    ['one metric of it, at another sparsity', 'espalier evaluate metrics.prune --metric wanda --sparsity 2:4'],
    [
      'without a file',
      'espalier evaluate --expression "W * sqrt(X)" --sparsity 50%,2:4 --model models/tiny \\\n' +
        '    --text wiki.test.raw --calibration wiki.valid.txt --samples 16 --length 256 --blocks 64',
    ],
    [
      'whole heads and channels, blocks with outliers keeping more',
      'espalier evaluate --structure wanda-sp --structure "abs(W) * X" --allocation owl --sparsity 20%,30% \\\n' +
        '    --model models/tiny --text wiki.test.raw --calibration wiki.valid.txt --samples 16 --length 256',
    ],
    [
      'what it knows beside: seven tasks as Wanda’s table has them, and another with examples',
      'espalier evaluate metrics.prune --tasks "seven,piqa (shots: 5)" --limit 100',
    ],
    ['what that takes, before it begins', 'espalier evaluate metrics.prune --dry-run'],
    ['in three processes, each evaluation by itself', 'espalier evaluate metrics.prune --workers 3'],
    ['by the workers of a queue', 'espalier evaluate metrics.prune --queue redis://gpu-1'],
    ['the dense perplexity', 'espalier evaluate --model models/tiny --text wiki.test.raw --length 256'],
  ]);
}
