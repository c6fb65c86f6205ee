import { describe, expect, test } from 'vitest';
import { createEngine } from '../../../src/engine/engine.ts';
import type { StructureEvaluation } from '../../../src/experiment/planSchema.ts';
import { DEFAULT_SETTINGS } from '../../../src/experiment/settings.ts';
import { REFERENCE_CALIBRATION, REFERENCE_MODEL, REFERENCE_TEXT } from '../../support/peer.ts';
import { askRecoveryPeer, whyNoRecoveryPeer } from '../../support/recoveryPeer.ts';
import { testDevices } from '../../support/runGraph.ts';

// Least squares after Wanda-sp, on the trained checkpoint and as much text as docs/recovery.md tells of.

const SIZES = { length: 256, samples: 16, blocks: 64 };
const SHARES = [0.2, 0.5, 0.6];
const TOLERANCE = { cpu: 1e-3, webgpu: 2e-3 };

const missing = whyNoRecoveryPeer();
const title = 'least squares after Wanda-sp, on the trained checkpoint';

describe.skipIf(missing !== undefined)(missing === undefined ? title : `${title} (skipped: ${missing})`, async () => {
  const { devices } = await testDevices();
  const peers = SHARES.map((share) => () => askRecoveryPeer('wanda-sp-ls', SIZES, ['--sparsity', `${share}`]));

  test.each(devices.map(({ name }) => name as keyof typeof TOLERANCE))('%s', { timeout: 1_200_000 }, async (device) => {
    const engine = createEngine();
    const results = await engine.evaluate({
      ...{ model: REFERENCE_MODEL, text: REFERENCE_TEXT, calibration: REFERENCE_CALIBRATION },
      evaluations: SHARES.flatMap((share) => [evaluation(share), { ...evaluation(share), update: RECONSTRUCT }]),
      settings: { ...DEFAULT_SETTINGS, ...SIZES, device, offsets: 'even' },
    });
    await engine.dispose();
    for (const [index, ask] of peers.entries()) {
      const { value, before } = await ask();
      const [plain, refitted] = results.slice(2 * index, 2 * index + 2).map(({ perplexity }) => perplexity);
      console.log(device, SHARES[index], { before, value, plain, refitted, apart: refitted! / value - 1 });
      expect(Math.abs(plain! / before! - 1)).toBeLessThan(TOLERANCE[device]);
      expect(Math.abs(refitted! / value - 1)).toBeLessThan(TOLERANCE[device]);
      expect(value / before!).toBeLessThan(0.95);
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
