import { operandsOf } from '../metric/measure.ts';
import { OPERANDS } from '../metric/operands.ts';
import { hasRates, isStructural, needsCalibration, needsGradient } from './planned.ts';
import type { PlannedEvaluation } from './planSchema.ts';
import { DEFAULT_SETTINGS } from './settings.ts';
import type { EvaluationSettings, SettingName } from './settings.ts';

/**
 * Settings that change nothing about these evaluations, whatever they are set to, each with the reason why. What is said all the same
 * was meant to change something.
 */
export function idleSettings(
  evaluations: readonly PlannedEvaluation[],
  settings: Partial<EvaluationSettings>,
): ReadonlyMap<SettingName, string> {
  const idle = new Map<SettingName, string>();
  const { offsets, gradientOffsets, length } = { ...DEFAULT_SETTINGS, length: undefined, ...settings };
  if (!evaluations.some(needsCalibration)) {
    const why = evaluations.length === 0 ? 'the dense model is not calibrated' : 'nothing needs more than the weights';
    for (const name of ['samples', 'offsets', 'seed', 'calibrate', ...OF_GRADIENTS] as const) idle.set(name, why);
    // Where no other length is said, it is that of evaluation blocks, too.
    if (length !== undefined) idle.set('calibrationLength', why);
  } else {
    if (offsets === 'even' && (gradientOffsets === 'calibration' || gradientOffsets === 'even'))
      idle.set('seed', 'even offsets are not drawn');
    if (!evaluations.some(needsGradient)) for (const name of OF_GRADIENTS) idle.set(name, 'nothing takes gradients');
    if (!evaluations.some(looksAtInputs))
      idle.set('calibrate', 'only metrics of single weights with X or its kin take it');
  }
  if (length) idle.set('lengthLimit', 'the length is said');
  if (!evaluations.some((evaluation) => comparesGroups(evaluation, settings.group)))
    idle.set('group', 'no percentage of single weights is pruned');
  if (!evaluations.some(hasRates)) idle.set('roundFor', NO_RATES);
  return idle;
}

/** Why nothing is rounded. */
export const NO_RATES = 'no whole heads and channels go at rates';

const OF_GRADIENTS = ['gradientSamples', 'gradientLength', 'gradientOffsets'] as const;

/** Whether it matters which blocks its statistics come from: components are chosen on the dense model, and gradients are its own. */
function looksAtInputs(evaluation: PlannedEvaluation): boolean {
  if (evaluation.update) return true;
  if (isStructural(evaluation) || evaluation.expression === undefined) return false;
  return operandsOf(evaluation.expression).some((name) => name !== 'G' && OPERANDS[name].needs.length > 0);
}

/** A metric with a group of its own has that; under a protocol magnitude has what is said of all metrics, where something is. */
function comparesGroups(evaluation: PlannedEvaluation, said: EvaluationSettings['group'] | undefined): boolean {
  if (isStructural(evaluation) || evaluation.sparsity.kind !== 'unstructured') return false;
  // SparseGPT chooses over all rows of some columns.
  if (evaluation.expression === undefined) return false;
  return evaluation.group === undefined || evaluation.group === said;
}
