import { sampleNeeds } from '../../experiment/planned.ts';
import type { Recovery } from '../../experiment/recovery.ts';
import type { EvaluationPlan, PlannedEvaluation } from '../../experiment/planSchema.ts';
import { protocolSettings } from '../../experiment/protocols.ts';
import { printSparsity } from '../../experiment/sparsity.ts';
import type { Sparsity } from '../../experiment/sparsitySchema.ts';
import type { RateAllocation } from '../../experiment/structureSchema.ts';
import { nameWithRates } from '../../experiment/structureNames.ts';
import type { BlockContent, Pruning } from '../check/document.ts';
import { evaluationsAt, needsShare, ratesProblem, saysHowMuch } from '../check/prunings.ts';
import { groupedBy } from './protocolGroups.ts';
import { UnfitOverlay } from './planErrors.ts';
import { plannedTexts, textInput } from './plannedInputs.ts';

/** What is said on top of a file, by flags: it goes first. Its paths are absolute. */
export interface PlanOverlay extends BlockContent {
  /** How much of each block goes, of all that is pruned with. */
  readonly allocation?: RateAllocation;
}

/**
 * What is pruned with at the sparsities and rates that lie over it; at its own where none do.
 *
 * @throws EspalierError `settings/invalid` where a sparsity or rates make no sense for one of them
 */
export function evaluationsUnder(
  { at, allocation, recover }: Pick<PlanOverlay, 'at' | 'allocation' | 'recover'>,
  prunings: readonly Pruning[],
  sparsities: readonly Sparsity[],
  said?: Recovery,
): readonly PlannedEvaluation[] {
  const recovery = recover ?? said;
  const own = evaluationsAt(prunings, sparsities, recovery);
  if (at === undefined && allocation === undefined) return own;
  const shares = at ?? distinct(own.map(({ sparsity }) => sparsity));
  const over = allocation ? prunings.map((pruning) => withRates(pruning, allocation)) : prunings;
  const pattern = shares.find(({ kind }) => kind === 'n:m');
  const whole = over.find((pruning) => needsShare(pruning) && !saysHowMuch(pruning));
  if (pattern && whole) {
    throw new UnfitOverlay('at', whole.label, printSparsity(pattern));
  }
  // What two experiments, or rates that are replaced, have in common counts once.
  return distinct(evaluationsAt(over, shares, recovery));
}

/** A plan on other inputs. */
export function planUnder({ model, settings, ...said }: PlanOverlay, plan: EvaluationPlan): EvaluationPlan {
  const { text, calibration, gradients, train, validate, rows = {} } = plan;
  const [evaluate, calibrate, ofGradients, trained, validated] = [
    said.evaluate ?? textInput(text, rows.text),
    said.calibrate ?? textInput(calibration, rows.calibration),
    said.gradients ?? textInput(gradients, rows.gradients),
    said.train ?? textInput(train, rows.train),
    said.validate ?? textInput(validate, rows.validate),
  ];
  const protocol = said.protocol ?? plan.protocol;
  const evaluations = groupedBy(said.protocol, plan.evaluations, settings.group);
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
    text,
    ...texts,
    ...(model !== undefined && { model }),
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

export function distinct<Value>(values: readonly Value[]): readonly Value[] {
  return [...new Map(values.map((value) => [JSON.stringify(value), value])).values()];
}
