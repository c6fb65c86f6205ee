import { type Command, InvalidArgumentError } from 'commander';
import type { EspalierError } from '../../base/errors.ts';
import type { EvaluationPlan } from '../../experiment/planSchema.ts';
import { evaluationOfRun } from '../../runs/runEvaluation.ts';
import { planUnder } from '../../language/plan/overlay.ts';
import { findRun, openRun } from '../../runs/runFolder.ts';
import { usageError } from '../commands/commandContext.ts';
import type { CommandContext } from '../commands/commandContext.ts';
import { located } from './hubFlags.ts';
import { tellIdleFlags } from './idleFlags.ts';
import { PRUNING_FLAGS, readSelection, selectedPlans } from './selection.ts';
import type { SelectionOptions } from './selection.ts';

/** The flags that choose one way of pruning: by what it is, or as the result of a run. */
export interface OnePlanOptions extends SelectionOptions {
  readonly run?: string;
  readonly candidate?: number;
}

export function addRunFlags(command: Command): Command {
  return command
    .option('--run <run>', 'what a run has found: its id, or the beginning of it')
    .option('--candidate <id>', 'of the run: this candidate or configuration instead of the best', parseId);
}

/**
 * The one plan with one evaluation that a command line asks for.
 *
 * @throws EspalierError `cli/usage` where it asks for none or several
 */
export async function onePlan(
  file: string | undefined,
  options: OnePlanOptions,
  context: CommandContext,
): Promise<EvaluationPlan> {
  const plan = await noneOrOnePlan(file, options, context);
  if (plan.evaluations.length === 1) return plan;
  throw notOne([], 'Name a metric, --expression, --structure or --run.');
}

/**
 * The same where nothing needs to be pruned: the plan then has no evaluation.
 *
 * @throws EspalierError `cli/usage` where it asks for several
 */
export async function noneOrOnePlan(
  file: string | undefined,
  options: OnePlanOptions,
  context: CommandContext,
): Promise<EvaluationPlan> {
  const { run, candidate } = options;
  if (run !== undefined) {
    if (file !== undefined || PRUNING_FLAGS.some((name) => options[name] !== undefined)) {
      throw usageError('--run, or what to prune', 'both', 'Leave one of the two out.');
    }
    const { overlay } = await readSelection(undefined, options, context);
    const plan = await evaluationOfRun(await openRun(await findRun(context.folder, run)), candidate);
    return told(planUnder(overlay, plan), options, context);
  }
  if (candidate !== undefined) throw usageError('a run with --candidate', '--candidate alone', 'Add --run.');
  const plans = await selectedPlans(file, options, context);
  const evaluations = plans.flatMap((plan) => plan.evaluations);
  const [one = plans[0]] = plans.filter((plan) => plan.evaluations.length === 1);
  if (evaluations.length > 1 || !one) throw notOne(evaluations, 'Choose with --metric and --sparsity.');
  return told(one, options, context);
}

function notOne(evaluations: EvaluationPlan['evaluations'], remedy: string): EspalierError {
  const actual = evaluations.length === 0 ? 'none' : `${evaluations.length}: ${namesOf(evaluations)}`;
  return usageError('one way of pruning', actual, remedy);
}

function told(plan: EvaluationPlan, options: OnePlanOptions, context: CommandContext): Promise<EvaluationPlan> {
  tellIdleFlags([plan], options, context);
  return located(plan, options, context);
}

function namesOf(evaluations: EvaluationPlan['evaluations']): string {
  return [...new Set(evaluations.map(({ metric }) => metric))].slice(0, 5).join(', ');
}

function parseId(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It takes the number of a candidate.');
}
