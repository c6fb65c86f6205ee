import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openCheckpoint } from '../../../src/engine/checkpoint/checkpoint.ts';
import { createEngine } from '../../../src/engine/engine.ts';
import { freshFactors } from '../../../src/engine/recovery/adapter.ts';
import { writePeftAdapter } from '../../../src/engine/recovery/peftAdapter.ts';
import { DEFAULT_RECOVERY_SETTINGS } from '../../../src/experiment/recovery.ts';
import { DEFAULT_SETTINGS, type DeviceName } from '../../../src/experiment/settings.ts';
import type { RecoveryPlan } from '../../../src/search/recovery/plan.ts';
import { fromPrefix } from '../../support/oracle/prefix.ts';
import { askRecoveryPeer, whyNoRecoveryPeer } from '../../support/recoveryPeer.ts';
import { REFERENCE_CALIBRATION, REFERENCE_MODEL, REFERENCE_TEXT } from '../../support/peer.ts';

/** Another device can be put to the same test: ESPALIER_TEST_DEVICE=webgpu. */
const device = (process.env['ESPALIER_TEST_DEVICE'] ?? 'cpu') as DeviceName;
const why = whyNoRecoveryPeer();

const [RATE, BATCH, BLOCKS, LENGTH] = [1e-3, 2, 4, 256];
const HALF = { kind: 'unstructured', share: 0.5 } as const;

const CASES: readonly { job: string; steps: number; evaluation?: RecoveryPlan['evaluation'] }[] = [
  { job: '', steps: 60 },
  {
    job: ':mul(W,sqrt(X))',
    steps: 20,
    evaluation: { metric: 'wanda', expression: fromPrefix('mul(W, sqrt(X))'), sparsity: HALF },
  },
  {
    // The adapter is the dense model's: what is left of it is trained.
    job: ':wanda-sp',
    steps: 20,
    evaluation: {
      metric: 'wanda-sp',
      structure: { kind: 'scored', score: { kind: 'method', method: 'wanda-sp' }, rates: { kind: 'uniform' } },
      sparsity: HALF,
    },
  },
];

describe.skipIf(why !== undefined)(
  `LoRA as the PyTorch reference trains it${why === undefined ? '' : ` (${why})`}`,
  () => {
    let folder: string;
    let adapter: string;
    beforeAll(async () => {
      folder = await mkdtemp(path.join(tmpdir(), 'espalier-peer-'));
      adapter = path.join(folder, 'adapter');
      const checkpoint = await openCheckpoint(REFERENCE_MODEL);
      const factors = freshFactors(checkpoint.config, { rank: 8, alpha: 16, targets: 'all', seed: 1 });
      await writePeftAdapter(adapter, factors, checkpoint.config, REFERENCE_MODEL);
      checkpoint.close();
    });
    afterAll(() => rm(folder, { recursive: true }));

    test.each(CASES)(
      'lora$job: losses of $steps steps, and the perplexity after merging',
      async ({ job, steps, evaluation }) => {
        const theirs = await askRecoveryPeer(`lora:${adapter}:${steps}:${RATE}:${BATCH}${job}`, {
          blocks: BLOCKS,
          length: LENGTH,
        });
        const settings = {
          ...DEFAULT_SETTINGS,
          device,
          samples: 16,
          blocks: BLOCKS,
          length: LENGTH,
          offsets: 'even',
        } as const;
        const files = { model: REFERENCE_MODEL, text: REFERENCE_TEXT, calibration: REFERENCE_CALIBRATION };
        const engine = createEngine();
        try {
          const [before] = await engine.evaluate({ ...files, settings, evaluations: evaluation ? [evaluation] : [] });
          await engine.open({
            ...{ kind: 'recovery', name: 'peer', ...files, settings, adapter },
            ...{ train: REFERENCE_CALIBRATION, validate: REFERENCE_TEXT },
            ...(evaluation && { evaluation }),
            recovery: {
              ...DEFAULT_RECOVERY_SETTINGS,
              ...{ method: 'lora', rate: RATE, batch: BATCH, steps, held: 2, masked: 'off' },
            },
          });
          const { losses } = await engine.train({ from: 0, to: steps, folder });
          const point = { step: steps, folder };
          const after = await engine.recovered({ point, before: before!, inputs: { ...files, settings } });
          const tolerance = device === 'cpu' ? 1e-3 : 2e-3;
          const apart = losses.map((loss, step) => Math.abs(loss! / theirs.losses![step]! - 1));
          console.log(
            `${job}: losses differ by ${Math.max(...apart).toExponential(1)}, perplexity ${after.perplexity} and ${theirs.value}`,
          );
          expect(losses.length).toBe(steps);
          expect(Math.max(...apart)).toBeLessThan(tolerance);
          expect(Math.abs(before!.perplexity / theirs.before! - 1)).toBeLessThan(tolerance);
          expect(Math.abs(after.perplexity / theirs.value - 1)).toBeLessThan(tolerance);
          // Something was learnt that the agreement is about.
          expect(Math.abs(after.perplexity / before!.perplexity - 1)).toBeGreaterThan(0.01);
        } finally {
          await engine.dispose();
        }
      },
    );
  },
);
