import { expect, test } from 'vitest';
import { createEngine } from '../../../src/engine/engine.ts';
import { DEFAULT_SETTINGS } from '../../../src/experiment/settings.ts';
import { GRADIENT_METRICS } from '../../support/oracle/metrics.ts';
import { fromPrefix } from '../../support/oracle/prefix.ts';
import { REFERENCE_CALIBRATION, REFERENCE_MODEL, REFERENCE_TEXT, whyNoReferenceModel } from '../../support/peer.ts';

const missing = whyNoReferenceModel();
const title = 'the published Pruner-Zero metric, 50 %, on 64 blocks of 256: what the reference says';

test.skipIf(missing !== undefined)(missing === undefined ? title : `${title} (skipped: ${missing})`, async () => {
  const engine = createEngine();
  const [result] = await engine.evaluate({
    model: REFERENCE_MODEL,
    text: REFERENCE_TEXT,
    calibration: REFERENCE_CALIBRATION,
    evaluations: [
      {
        metric: 'pruner-zero',
        expression: fromPrefix(GRADIENT_METRICS.prunerZero),
        sparsity: { kind: 'unstructured', share: 0.5 },
      },
    ],
    settings: { ...DEFAULT_SETTINGS, ...{ device: 'cpu', samples: 16, length: 256, blocks: 64, offsets: 'even' } },
  });
  await engine.dispose();
  // reference.py … 'pruner_zero=mul(abs(mul(W,W)),mms(G))' prints 109.17139.
  expect(Math.abs(result!.perplexity / 109.17139 - 1)).toBeLessThan(1e-4);
});
