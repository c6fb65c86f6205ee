import { type Command, InvalidArgumentError } from 'commander';
import type { EspalierError } from '../../base/errors.ts';
import type { Engine, KeptRecovery } from '../../engine/engine.ts';
import type { ExportReport, ExportTarget } from '../../experiment/exportSchema.ts';
import { planInputs } from '../../experiment/planInputs.ts';
import type { EvaluationPlan } from '../../experiment/planSchema.ts';
import { evaluationOfRun } from '../../runs/runEvaluation.ts';
import { planUnder } from '../../language/plan/overlay.ts';
import { findRun, isRunOf, openRun } from '../../runs/runFolder.ts';
import { planOf } from '../../runs/runRecord.ts';
import type { RunFolder } from '../../runs/runFolder.ts';
import { keptBy } from '../../runs/savedRecovery.ts';
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

/** What is written as a model: what an evaluation prunes, or what a run of a recovery has kept. */
export interface ModelToWrite {
  /** With one evaluation, or none for a recovery of a checkpoint as it is. */
  readonly plan: EvaluationPlan;
  readonly kept?: KeptRecovery;
}

/**
 * The one model that a command line asks to be written.
 *
 * @throws EspalierError `cli/usage` where it asks for none or several, and as `keptBy`
 */
export async function oneModel(
  file: string | undefined,
  options: OnePlanOptions,
  context: CommandContext,
): Promise<ModelToWrite> {
  const run = options.run === undefined ? undefined : await runAlone(options.run, file, options, context);
  if (!run || !isRunOf(run, 'recovery')) return { plan: await onePlan(file, options, context) };
  const plan = await noneOrOnePlan(file, options, context);
  const { plan: trained, ...kept } = await keptBy(run);
  // Flags say on what it is evaluated, and by what device: a state of other calibration samples or texts is refused.
  return { plan, kept: { plan: { ...trained, ...planInputs(plan), train: trained.train }, ...kept } };
}

/** Writes it, and checks it in another process. */
export function writeModel(
  { plan, kept }: ModelToWrite,
  engine: Engine,
  target: ExportTarget,
  hooks: Parameters<Engine['exportModel']>[2],
): Promise<ExportReport> {
  return kept ? engine.exportRecovered(kept, target, hooks) : engine.exportModel(plan, target, hooks);
}

/**
 * The same where nothing needs to be pruned: the plan then has no evaluation.
 *
 * @param asks whether tasks are asked of what comes of it: those of a run hold where no others are said
 * @throws EspalierError `cli/usage` where it asks for several
 */
export async function noneOrOnePlan(
  file: string | undefined,
  options: OnePlanOptions,
  context: CommandContext,
  asks = false,
): Promise<EvaluationPlan> {
  const { run, candidate } = options;
  if (run !== undefined) {
    const found = await runAlone(run, file, options, context);
    const { overlay } = await readSelection(undefined, options, context);
    const { tasks } = planOf(found.record, found.root);
    const plan = { ...(await evaluationOfRun(found, candidate)), ...(asks && tasks && { tasks }) };
    return told(planUnder(overlay, plan), options, context);
  }
  if (candidate !== undefined) throw usageError('a run with --candidate', '--candidate alone', 'Add --run.');
  const plans = await selectedPlans(file, options, context);
  const evaluations = plans.flatMap((plan) => plan.evaluations);
  const [one = plans[0]] = plans.filter((plan) => plan.evaluations.length === 1);
  if (evaluations.length > 1 || !one) throw notOne(evaluations, 'Choose with --metric and --sparsity.');
  return told(one, options, context);
}

/** @throws EspalierError `cli/usage` where something else is to be pruned, too */
async function runAlone(
  run: string,
  file: string | undefined,
  options: OnePlanOptions,
  { folder }: CommandContext,
): Promise<RunFolder> {
  if (file !== undefined || PRUNING_FLAGS.some((name) => options[name] !== undefined)) {
    throw usageError('--run, or what to prune', 'both', 'Leave one of the two out.');
  }
  return openRun(await findRun(folder, run));
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
