import { describe, expect, it } from 'vitest';
import { provenanceLines } from '../../../src/cli/reports/evaluationTable.ts';
import type { EvaluationResult } from '../../../src/experiment/resultSchema.ts';
import { sampleResult } from '../../protocol/samples.ts';

describe('under the table', () => {
  const calibrated = (calibrate: EvaluationResult['calibrate']): EvaluationResult => {
    const result = sampleResult({ calibrate });
    return { ...result, provenance: { ...result.provenance, calibration: '/texts/calib.txt' } };
  };

  it.each([
    [['sequential', 'sequential'], ', sequential)'],
    [['one-shot'], ', one-shot)'],
    [['sequential', 'one-shot'], ', sequential, whole components one-shot)'],
  ] as const)('calibration of metrics and components (%j) is told of each', (kinds, ending) => {
    const line = provenanceLines(kinds.map(calibrated)).find((one) => one.startsWith('calibration'));
    expect(line?.endsWith(ending), line).toBe(true);
  });
});
