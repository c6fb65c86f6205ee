import { type EvaluationPlan, isStructural, type PlannedEvaluation } from '../../experiment/plan.ts';
import { scoreText } from '../../experiment/planned.ts';
import type { Provenance } from '../../experiment/result.ts';
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
 */
export function fingerprint(
  evaluation: PlannedEvaluation | undefined,
  { settings }: EvaluationPlan,
  provenance: Provenance,
  calibrated: boolean,
): string {
  const { modelHash, textHash, blocks, length, device, precision, versions } = provenance;
  const pruning = evaluation && {
    expression: isStructural(evaluation) ? scoreText(evaluation) : printPrefix(evaluation.expression),
    sparsity: printSparsity(evaluation.sparsity),
    ...(evaluation.sparsity.kind === 'unstructured' && { group: settings.group }),
  };
  const calibration = calibrated && {
    calibrate: settings.calibrate,
    calibrationHash: provenance.calibrationHash,
    samples: settings.samples,
    offsets: settings.offsets,
    ...(settings.offsets === 'random' && { seed: settings.seed }),
  };
  const content = {
    format: FORMAT,
    modelHash,
    textHash,
    blocks,
    length,
    device,
    precision,
    versions,
    pruning,
    calibration,
  };
  return sha256(JSON.stringify(content));
}
