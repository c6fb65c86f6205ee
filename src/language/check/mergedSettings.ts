import type { ProtocolName } from '../../experiment/protocols.ts';
import type { EvaluationSettings } from '../../experiment/settings.ts';

/**
 * The settings of a block on top of those of `defaults`. A length that is said behind the calibration text alone is that of evaluation
 * blocks, too: files of before samples had a length of their own mean that. Under a protocol it is not: that says both.
 */
export function mergedSettings(
  protocol: ProtocolName | undefined,
  defaults: Partial<EvaluationSettings> | undefined,
  own: Partial<EvaluationSettings> | undefined,
): Partial<EvaluationSettings> {
  const { calibrationLength, ...settings } = { ...defaults, ...own };
  if (!calibrationLength || settings.length !== undefined || protocol !== undefined) {
    return { ...settings, ...(calibrationLength !== undefined && { calibrationLength }) };
  }
  // Kept beside it: a flag or a block may say another length of evaluation blocks later, and samples stay as they are.
  return { ...settings, length: calibrationLength, calibrationLength };
}
