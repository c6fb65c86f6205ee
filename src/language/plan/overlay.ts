import { isStructural, sampleNeeds } from '../../experiment/planned.ts';
import type { Recovery } from '../../experiment/recovery.ts';
import type { EvaluationPlan, PlannedEvaluation } from '../../experiment/planSchema.ts';
import { protocolSettings } from '../../experiment/protocols.ts';
import { printSparsity } from '../../experiment/sparsity.ts';
import type { Sparsity } from '../../experiment/sparsitySchema.ts';
import { UNIFORM } from '../../experiment/structure.ts';
import { isWeightUpdate, updateText } from '../../experiment/updates.ts';
import type { Update } from '../../experiment/updates.ts';
import type { RateAllocation } from '../../experiment/structureSchema.ts';
import { nameWithRates } from '../../experiment/structureNames.ts';
import type { BlockContent, Pruning } from '../check/document.ts';
import { evaluationsAt, needsShare, ratesProblem, saysHowMuch, takesNoBudget } from '../check/prunings.ts';
import { groupedBy } from './protocolGroups.ts';
import { UnfitOverlay } from './planErrors.ts';
import { plannedTasks } from './plannedTasks.ts';
import type { TasksOverlay } from './plannedTasks.ts';
import { plannedTexts, textInput } from './plannedInputs.ts';

/** What is said on top of a file, by flags: it goes first. Its paths are absolute. */
export interface PlanOverlay extends BlockContent {
  /** How much of each block goes, of all that is pruned with. */
  readonly allocation?: RateAllocation;
  /** What becomes of the weights that stay, of all that is pruned with. */
  readonly update?: Update;
  /** Of all tasks. */
  readonly ofTasks?: TasksOverlay;
}

/**
 * What is pruned with at the sparsities and rates that lie over it; at its own where none do.
 *
 * @throws EspalierError `settings/invalid` where a sparsity or rates make no sense for one of them
 */
export function evaluationsUnder(
  { at, allocation, update, recover }: Pick<PlanOverlay, 'at' | 'allocation' | 'update' | 'recover'>,
  prunings: readonly Pruning[],
  sparsities: readonly Sparsity[],
  said?: Recovery,
): readonly PlannedEvaluation[] {
  const recovery = recover ?? said;
  const own = evaluationsAt(prunings, sparsities, recovery);
  if (at === undefined && allocation === undefined && update === undefined) return own;
  const shares = at ?? distinct(own.map(({ sparsity }) => sparsity));
  const rated = allocation ? prunings.map((pruning) => withRates(pruning, allocation)) : prunings;
  const over = update ? rated.map((pruning) => withUpdate(pruning, update)) : rated;
  const pattern = shares.find(({ kind }) => kind === 'n:m');
  const whole = over.find((pruning) => needsShare(pruning) && !saysHowMuch(pruning));
  if (pattern && whole) {
    throw new UnfitOverlay('at', whole.label, printSparsity(pattern));
  }
  const budget = shares.find(({ kind }) => kind === 'budget');
  const weights = over.find(takesNoBudget);
  if (budget && weights) throw new UnfitOverlay('at', weights.label, printSparsity(budget), 'budget');
  // What two experiments, or rates that are replaced, have in common counts once.
  return distinct(evaluationsAt(over, shares, recovery));
}

/** A plan on other inputs. */
export function planUnder(overlay: PlanOverlay, plan: EvaluationPlan): EvaluationPlan {
  const { model, settings, ...said } = overlay;
  const { text, calibration, gradients, train, validate, rows = {} } = plan;
  const tasks = plannedTasks(said, '/', said.ofTasks) ?? plan.tasks;
  const [evaluate, calibrate, ofGradients, trained, validated] = [
    said.evaluate ?? textInput(text, rows.text),
    said.calibrate ?? textInput(calibration, rows.calibration),
    said.gradients ?? textInput(gradients, rows.gradients),
    said.train ?? textInput(train, rows.train),
    said.validate ?? textInput(validate, rows.validate),
  ];
  const protocol = said.protocol ?? plan.protocol;
  const grouped = groupedBy(said.protocol, plan.evaluations, settings.group);
  const evaluations = grouped.map((evaluation) => evaluatedUnder(evaluation, overlay));
  const texts = plannedTexts(
    {
      ...(evaluate && { evaluate }),
      ...(calibrate && { calibrate }),
      ...(ofGradients && { gradients: ofGradients }),
      ...(trained && { train: trained }),
      ...(validated && { validate: validated }),
      ...(said.rows && { rows: said.rows }),
      ...(protocol && { protocol }),
    },
    '/',
    'experiment',
    sampleNeeds(evaluations),
  );
  return {
    model: plan.model,
    evaluations,
    ...(text !== undefined && { text }),
    ...texts,
    ...(model !== undefined && { model }),
    ...(tasks && { tasks }),
    settings: { ...plan.settings, ...protocolSettings(said.protocol), ...settings },
  };
}

/** These rates in the place of those that something has. */
function withRates(pruning: Pruning, rates: RateAllocation): Pruning {
  const problem = ratesProblem(pruning, rates);
  if (problem !== undefined) throw new UnfitOverlay('allocation', pruning.label, problem);
  const suffix = pruning.rates ? nameWithRates('', pruning.rates) : '';
  const label = nameWithRates(pruning.label.slice(0, pruning.label.length - suffix.length), rates);
  if ('score' in pruning) return { ...pruning, label, rates };
  const { rates: own, ...others } = pruning;
  const left = own === undefined ? pruning : others;
  return { ...left, label, ...(rates.kind !== 'uniform' && { rates }) };
}

/** This update in the place of the one that something has. */
function withUpdate(pruning: Pruning, update: Update): Pruning {
  const plain = pruning.update ? pruning.label.replace(` then ${updateText(pruning.update)}`, '') : pruning.label;
  const label = `${plain} then ${updateText(update)}`;
  if ('score' in pruning && !isWeightUpdate(update)) return { ...pruning, label, update };
  if ('expression' in pruning && isWeightUpdate(update)) return { ...pruning, label, update };
  // SparseGPT's own mask comes with its own update.
  if (!('score' in pruning) && !('expression' in pruning) && update.method === 'sparsegpt')
    return { ...pruning, label: nameWithRates(updateText(update), pruning.rates ?? UNIFORM), update };
  throw new UnfitOverlay('update', plain, updateText(update));
}

/** An evaluation of a run's, whose weights become something else after the mask. */
function evaluatedUnder(evaluation: PlannedEvaluation, { update, recover }: PlanOverlay): PlannedEvaluation {
  const trained = recover ? { ...evaluation, recovery: recover } : evaluation;
  if (!update) return trained;
  const named = { metric: `${evaluation.metric} then ${updateText(update)}` };
  if (isStructural(trained)) {
    if (isWeightUpdate(update)) throw new UnfitOverlay('update', evaluation.metric, updateText(update));
    return { ...trained, ...named, update };
  }
  if (!isWeightUpdate(update)) throw new UnfitOverlay('update', evaluation.metric, updateText(update));
  return { ...trained, ...named, update };
}

export function distinct<Value>(values: readonly Value[]): readonly Value[] {
  return [...new Map(values.map((value) => [JSON.stringify(value), value])).values()];
}
