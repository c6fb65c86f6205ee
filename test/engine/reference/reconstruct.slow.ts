import { describe, expect, test } from 'vitest';
import { createEngine } from '../../../src/engine/engine.ts';
import type { StructureEvaluation } from '../../../src/experiment/planSchema.ts';
import { DEFAULT_SETTINGS } from '../../../src/experiment/settings.ts';
import { REFERENCE_CALIBRATION, REFERENCE_MODEL, REFERENCE_TEXT } from '../../support/peer.ts';
import { askRecoveryPeer, whyNoRecoveryPeer } from '../../support/recoveryPeer.ts';
import { testDevices } from '../../support/runGraph.ts';

// Least squares after Wanda-sp, on the trained checkpoint; docs/recovery.md has more text.

/** A device made of software takes its time. */
const SHARES = { cpu: [0.2, 0.5, 0.6], webgpu: [0.5] };
const BLOCKS = { cpu: 8, webgpu: 2 };
const SAMPLES = { cpu: 16, webgpu: 4 };
const TOLERANCE = { cpu: 1e-3, webgpu: 2e-3 };

const missing = whyNoRecoveryPeer();
const title = 'least squares after Wanda-sp, on the trained checkpoint';

describe.skipIf(missing !== undefined)(missing === undefined ? title : `${title} (skipped: ${missing})`, async () => {
  const { devices } = await testDevices();
  test.each(devices.map(({ name }) => name as keyof typeof TOLERANCE))('%s', { timeout: 1_200_000 }, async (device) => {
    const sizes = { length: 256, samples: SAMPLES[device], blocks: BLOCKS[device] };
    const engine = createEngine();
    const results = await engine.evaluate({
      ...{ model: REFERENCE_MODEL, text: REFERENCE_TEXT, calibration: REFERENCE_CALIBRATION },
      evaluations: SHARES[device].flatMap((share) => [
        evaluation(share),
        { ...evaluation(share), update: RECONSTRUCT },
      ]),
      settings: { ...DEFAULT_SETTINGS, ...sizes, device, offsets: 'even' },
    });
    await engine.dispose();
    for (const [index, share] of SHARES[device].entries()) {
      const { value, before } = await askRecoveryPeer('wanda-sp-ls', sizes, ['--sparsity', `${share}`]);
      const [plain, refitted] = results.slice(2 * index, 2 * index + 2).map(({ perplexity }) => perplexity);
      expect(Math.abs(plain! / before! - 1)).toBeLessThan(TOLERANCE[device]);
      expect(Math.abs(refitted! / value - 1)).toBeLessThan(TOLERANCE[device]);
      // Of four samples least squares learns nothing that holds elsewhere.
      if (device === 'cpu') expect(value / before!).toBeLessThan(0.95);
    }
  });
});

const RECONSTRUCT = { method: 'reconstruct', damping: 0.01 } as const;

function evaluation(share: number): StructureEvaluation {
  const score = { kind: 'method', method: 'wanda-sp' } as const;
  return {
    metric: 'wanda-sp',
    structure: { kind: 'scored', score, rates: { kind: 'uniform' } },
    sparsity: { kind: 'unstructured', share },
  };
}
