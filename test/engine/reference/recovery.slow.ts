import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createEngine, type Engine, listDevices } from '../../../src/engine/engine.ts';
import type { WeightEvaluation } from '../../../src/experiment/planSchema.ts';
import { DEFAULT_SETTINGS, type DeviceName } from '../../../src/experiment/settings.ts';
import { parseSparsity } from '../../../src/experiment/sparsity.ts';
import type { WeightUpdate } from '../../../src/experiment/updates.ts';
import { fromPrefix } from '../../support/oracle/prefix.ts';
import {
  askRecoveryPeer,
  REFERENCE_CALIBRATION,
  REFERENCE_MODEL,
  REFERENCE_TEXT,
  type RecoveryReply,
  whyNoRecoveryPeer,
} from '../../support/peer.ts';

// The trained checkpoint, updated after the mask, beside the PyTorch reference, which computes in float64.

const [LENGTH, SAMPLES, BLOCKS] = [256, 8, 4];

interface Way {
  readonly kind: WeightUpdate['method'];
  readonly expression?: string;
  readonly sparsity: string;
}

const WANDA = 'mul(W, sqrt(X))';
const WAYS: readonly Way[] = [
  { kind: 'sparsegpt', sparsity: '50%' },
  { kind: 'sparsegpt', expression: WANDA, sparsity: '50%' },
  { kind: 'admm', expression: WANDA, sparsity: '50%' },
  { kind: 'sparsegpt', sparsity: '60%' },
  { kind: 'admm', expression: 'W', sparsity: '60%' },
  { kind: 'sparsegpt', sparsity: '2:4' },
  { kind: 'admm', expression: WANDA, sparsity: '2:4' },
];
/** A device made of software takes its time: the masks of one metric there. */
const ON: Readonly<Record<'cpu' | 'webgpu', readonly Way[]>> = { cpu: WAYS, webgpu: WAYS.slice(1, 3) };

const UPDATES: Readonly<Record<WeightUpdate['method'], WeightUpdate>> = {
  sparsegpt: { method: 'sparsegpt', damping: 0.01, columns: 128 },
  admm: { method: 'admm', iterations: 20, damping: 0.1 },
};

const missing = whyNoRecoveryPeer();
const title = 'updated after the mask, the trained checkpoint agrees with the reference';

describe.skipIf(missing !== undefined)(missing === undefined ? title : `${title} (skipped: ${missing})`, async () => {
  const works = missing === undefined ? (await listDevices()).filter((device) => device.works) : [];
  const devices = (['cpu', 'webgpu'] as const).filter((name) => works.some((device) => device.name === name));
  let peer: RecoveryReply;
  let engine: Engine;
  beforeAll(async () => {
    engine = createEngine();
    const jobs = WAYS.map((way) => ({ ...way, name: nameOf(way), ...share(way) }));
    peer = await askRecoveryPeer({ length: LENGTH, samples: SAMPLES, blocks: BLOCKS, jobs });
  }, 1_800_000);
  afterAll(async () => {
    await engine.dispose();
    await peer.remove();
  });

  describe.each(devices)('on %s', (device) => {
    test.each(ON[device])('$kind after $expression at $sparsity', async (way) => {
      const zeros: Uint8Array[] = [];
      const [result] = await engine.evaluate(planOf(way, device), {
        onPruned: ({ weight }) => zeros.push(Uint8Array.from(weight, (value) => Number(value === 0))),
      });
      const expected = peer.values.get(nameOf(way))!;
      // SparseGPT's threshold is one of its own scores, which turn on last digits.
      const tolerance = device === 'webgpu' || !way.expression ? 2e-3 : 1e-3;
      expect(Math.abs(result!.perplexity / expected - 1)).toBeLessThan(tolerance);
      const masks = await peer.masks(nameOf(way));
      let [at, same] = [0, 0];
      for (const layer of zeros) for (const zero of layer) if (zero === masks[at++]) same++;
      expect(at).toBe(masks.length);
      expect(same / at).toBeGreaterThan(0.995);
    });
  });
});

function planOf({ kind, expression, sparsity }: Way, device: DeviceName) {
  const evaluation: WeightEvaluation = {
    metric: expression ?? kind,
    ...(expression !== undefined && { expression: fromPrefix(expression) }),
    sparsity: parseSparsity(sparsity)!,
    update: UPDATES[kind],
  };
  const common = { length: LENGTH, samples: SAMPLES, blocks: BLOCKS, threads: 1, offsets: 'even' } as const;
  return {
    ...{ model: REFERENCE_MODEL, text: REFERENCE_TEXT, calibration: REFERENCE_CALIBRATION },
    evaluations: [evaluation],
    settings: { ...DEFAULT_SETTINGS, ...common, device },
  };
}

function nameOf({ kind, expression = 'own', sparsity }: Way): string {
  return `${kind} ${expression === 'own' ? 'own' : WAYS.findIndex((way) => way.expression === expression)} ${sparsity.replace(':', ' of ')}`;
}

function share({ sparsity }: Way): { share: number } | { nm: string } {
  return sparsity.includes(':') ? { nm: sparsity } : { share: parseFloat(sparsity) / 100 };
}
