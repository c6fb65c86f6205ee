import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { createEngine } from '../../../src/engine/engine.ts';
import type { EvaluationPlan } from '../../../src/experiment/planSchema.ts';
import { DEFAULT_SETTINGS } from '../../../src/experiment/settings.ts';
import { parsePrefix } from '../../../src/metric/parsePrefix.ts';
import { REFERENCE_CALIBRATION, REFERENCE_MODEL, SHARED, whyNoReferenceModel } from '../../support/peer.ts';

const engine = createEngine();
afterAll(() => engine.dispose());

const half = { kind: 'unstructured', share: 0.5 } as const;
const expression = parsePrefix('mul(W, sqrt(X))');

/** sha-256 of the 256 ids, joined by commas, that tasks_reference.py generates for the first documents of GSM8K; Wanda: 50 %, calibrated on 16 × 256 tokens. */
const REFERENCE_IDS: readonly (readonly [string, EvaluationPlan['evaluations'], readonly string[]])[] = [
  ['dense', [], ['9e36d4f346dbd028', '219f86788348a54d', '937ed62f4bee3ce5']],
  ['Wanda', [{ metric: 'wanda', expression, sparsity: half }], ['1a8e2d917752df72', '77e3681c0602c2ed']],
];
const GSM8K = path.join(SHARED, 'data/tasks/gsm8k.jsonl');
const missing = whyNoReferenceModel() ?? (existsSync(GSM8K) ? undefined : `there is no ${GSM8K}`);
const title = `on the trained checkpoint${missing === undefined ? '' : ` (skipped: ${missing})`}`;

describe.skipIf(missing)(title, () => {
  test.each(REFERENCE_IDS)(
    '%s goes on from questions of GSM8K as the PyTorch reference does',
    async (_, evaluations, hashes) => {
      const settings = { ...DEFAULT_SETTINGS, device: 'cpu', samples: 16, length: 256, offsets: 'even' } as const;
      const inputs = { model: REFERENCE_MODEL, calibration: REFERENCE_CALIBRATION, settings };
      const { served } = await engine.openServed({ ...inputs, evaluations });
      const documents = readFileSync(GSM8K, 'utf8').split('\n').slice(0, hashes.length);
      const prompts = documents.map((line) => {
        const { question } = JSON.parse(line) as { question: string };
        const ids = engine.tokenizerOf(served).encode(`Question: ${question}\nAnswer:`, { special: false });
        return [...ids.subarray(-256)];
      });
      const { answers } = await engine.generate({
        served,
        prompts,
        most: 256,
        stops: ['Question:', '</s>', '<|im_end|>'],
      });
      const found = answers.map(({ ids }) => createHash('sha256').update(ids.join(',')).digest('hex').slice(0, 16));
      expect(found).toEqual(hashes);
      await engine.closeServed({ served });
    },
    120_000,
  );
});
