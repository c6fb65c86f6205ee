import { inputName } from '../../experiment/hubName.ts';
import type { ServedPlan } from '../../experiment/generationSchema.ts';
import { DEFAULT_SETTINGS } from '../../experiment/settings.ts';
import { printSparsity } from '../../experiment/sparsity.ts';
import { locate } from '../../language/plan/plannedInputs.ts';
import { usageError } from '../commands/commandContext.ts';
import type { CommandContext } from '../commands/commandContext.ts';
import { located } from './hubFlags.ts';
import { noneOrOnePlan } from './onePlan.ts';
import type { OnePlanOptions } from './onePlan.ts';
import { PRUNING_FLAGS, readSelection } from './selection.ts';

/** A model to be asked, and what clients may call it: the first is its own name. */
export interface PlanToServe {
  readonly plan: ServedPlan;
  readonly names: readonly string[];
}

/**
 * The one model that a command line asks to be opened for questions.
 *
 * @param given a checkpoint folder, a name on the hub, or a .prune file
 * @throws EspalierError `cli/usage` where it asks for none or several
 */
export async function servedPlan(
  given: string | undefined,
  options: OnePlanOptions,
  context: CommandContext,
): Promise<PlanToServe> {
  const isFile = given?.endsWith('.prune') === true;
  if (given !== undefined && !isFile && options['model'] !== undefined) {
    throw usageError('one model', `${given} and --model`, 'Leave one of the two out.');
  }
  const model = isFile ? undefined : (given ?? (options['model'] as string | undefined));
  const asked = { ...options, ...(model !== undefined && { model }) };
  const isPruned = isFile || options.run !== undefined || PRUNING_FLAGS.some((name) => options[name] !== undefined);
  const plan = isPruned
    ? // Of the text one block alone is looked at, and nothing is said of it: any will do.
      await noneOrOnePlan(isFile ? given : undefined, { text: options['calibration'], ...asked }, context)
    : await densePlan(model, asked, context);
  const [evaluation] = plan.evaluations;
  const name = inputName(plan.model);
  const own = evaluation ? `${name}:${evaluation.metric}:${printSparsity(evaluation.sparsity)}` : name;
  const typed = model === undefined ? [] : [model];
  return { plan, names: [...new Set([own.replace(/\s+/g, ''), name, plan.model, ...typed])] };
}

async function densePlan(
  model: string | undefined,
  options: OnePlanOptions,
  context: CommandContext,
): Promise<ServedPlan> {
  if (model === undefined) throw usageError('a checkpoint folder', 'none', 'Name one, or say --model.');
  const { settings } = (await readSelection(undefined, options, context)).overlay;
  const asked = { model: locate(context.folder, model), settings: { ...DEFAULT_SETTINGS, ...settings } };
  const plan = await located(asked, options, context);
  return { ...plan, evaluations: [] };
}
