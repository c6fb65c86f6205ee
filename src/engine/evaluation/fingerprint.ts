import { canonicalJson } from '../../base/canonicalJson.ts';
import { isAboutSpeed } from '../../experiment/costLimit.ts';
import { essentialMask } from '../../experiment/components.ts';
import type {
  EvaluationPlan,
  PlannedEvaluation,
  StructureEvaluation,
  WeightEvaluation,
} from '../../experiment/planSchema.ts';
import { isStructural, needsGradient } from '../../experiment/planned.ts';
import type { Provenance } from '../../experiment/resultSchema.ts';
import type { EvaluationSettings } from '../../experiment/settings.ts';
import { printSparsity } from '../../experiment/sparsity.ts';
import { printPrefix } from '../../metric/print.ts';
import { sha256 } from '../checkpoint/hashing.ts';

/** Changes when a fingerprint of the same evaluation would have to differ. */
const FORMAT = 1;

/**
 * sha-256 over everything that decides the number, and nothing else: contents rather than paths, the expression rather than its
 * name, and the calibration only where the metric uses it.
 *
 * @param calibrated whether the metric needs the calibration samples
 * @param tasks fingerprints of what the plan's tasks ask
 */
export function fingerprint(
  evaluation: PlannedEvaluation | undefined,
  { settings, times }: Pick<EvaluationPlan, 'settings' | 'times'>,
  provenance: Provenance,
  calibrated: boolean,
  tasks?: readonly string[],
): string {
  const { modelHash, textHash, blocks, length, device, precision, versions, machine, rows } = provenance;
  const structural = evaluation !== undefined && isStructural(evaluation);
  const pruning =
    evaluation &&
    (structural ? componentsGone(evaluation, times) : weightsGone(evaluation, evaluation.group ?? settings.group));
  const calibration = calibrated && {
    calibrate: structural ? 'one-shot' : settings.calibrate,
    calibrationHash: provenance.calibrationHash,
    samples: settings.samples,
    // Undefined, and so no part of it, where samples are as long as blocks.
    length: provenance.calibrationLength,
    offsets: settings.offsets,
    ...(settings.offsets !== 'even' && { seed: settings.seed }),
    // These, too, are no part of it where they are as ever.
    rows: rows?.calibration,
    gradients: evaluation && needsGradient(evaluation) ? ownGradients(provenance) : undefined,
  };
  const content = {
    format: FORMAT,
    modelHash,
    textHash,
    rows: rows?.text,
    blocks,
    length,
    device,
    precision,
    versions,
    machine,
    pruning,
    calibration,
    tasks,
  };
  return sha256(JSON.stringify(content));
}

/** What decides the samples that G is taken on, where they are others than those for calibration; else undefined, which is no part of a hash. */
export function ownGradients(provenance: Provenance) {
  const { gradientsHash, gradientSamples, gradientLength, gradientOffsets, seed, rows } = provenance;
  if (gradientSamples === undefined) return undefined;
  return {
    gradientsHash,
    samples: gradientSamples,
    length: gradientLength,
    offsets: gradientOffsets,
    ...(gradientOffsets !== 'even' && { seed }),
    rows: rows?.gradients,
  };
}

function weightsGone(
  { expression, sparsity, rates, layers, update }: WeightEvaluation,
  group: EvaluationSettings['group'],
) {
  return {
    // The parts that are undefined are none of the hash.
    expression: expression && printPrefix(expression),
    ...(rates?.kind !== 'given' && { sparsity: printSparsity(sparsity) }),
    ...(sparsity.kind === 'unstructured' && expression && { group }),
    ...(rates && rates.kind !== 'uniform' && { rates }),
    layers,
    update: update && canonicalJson(update),
  };
}

function componentsGone({ structure, sparsity, update }: StructureEvaluation, times: EvaluationPlan['times']) {
  // What a speed comes to depends on what was measured.
  const measured = sparsity.kind === 'budget' && isAboutSpeed(sparsity.budget) ? times : undefined;
  if (structure.kind === 'mask')
    return { mask: essentialMask(structure.mask), update: update && canonicalJson(update) };
  const { score, rates } = structure;
  return {
    components: score.kind === 'method' ? score.method : printPrefix(score.expression),
    // Rates that are given decide alone.
    ...(rates.kind !== 'given' && { sparsity: printSparsity(sparsity), times: measured && canonicalJson(measured) }),
    rates,
    update: update && canonicalJson(update),
  };
}
