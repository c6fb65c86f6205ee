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
/** A device made of software takes its time: the masks of one metric there, and one of SparseGPT's own. */
const ON: Readonly<Record<'cpu' | 'webgpu', readonly Way[]>> = { cpu: WAYS, webgpu: [WAYS[1]!, WAYS[2]!, WAYS[5]!] };

/** How far from the reference a perplexity may be, and which share of the masks of all blocks has to be the reference's. */
interface Bound {
  readonly perplexity: number;
  readonly masks: number;
}

/**
 * SparseGPT's own mask turns on last digits, and a weight that goes in place of another is made up for by those behind it. On the CPU all masks of
 * 2:4 are the reference's. On a software device one of the 181 248 groups of the first block is not, whose scores differ by 4e-6 of their
 * size, less than in any other; each block makes ten times as many of it, and the perplexity is 0.9 % off. Updated weights that are moved by 1e-6 at random
 * on the CPU come to -0.6, 0 or 0.4 % (seven seeds), by 1e-5 to 1.1 %. So there the first block is what is compared.
 */
function boundOf({ expression, sparsity }: Way, device: 'cpu' | 'webgpu'): Bound {
  if (expression !== undefined) return { perplexity: device === 'webgpu' ? 2e-3 : 1e-3, masks: 0.995 };
  if (device === 'webgpu' && sparsity.includes(':')) return { perplexity: 2e-2, masks: 0.97 };
  return { perplexity: 2e-3, masks: 0.995 };
}

/** Share of the first block's mask that may differ. */
const FIRST_BLOCK = 1e-4;
const LINEARS = 7;

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
      const bound = boundOf(way, device);
      expect(Math.abs(result!.perplexity / expected - 1)).toBeLessThan(bound.perplexity);
      const masks = await peer.masks(nameOf(way));
      const ours = Buffer.concat(zeros);
      expect(ours.length).toBe(masks.length);
      expect(differing(ours, masks, ours.length)).toBeLessThan(1 - bound.masks);
      const first = zeros.slice(0, LINEARS).reduce((sum, { length }) => sum + length, 0);
      expect(differing(ours, masks, first)).toBeLessThan(FIRST_BLOCK);
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

/** Share of the first `count` that is not the same in both. */
function differing(a: Uint8Array, b: Uint8Array, count: number): number {
  let different = 0;
  for (let i = 0; i < count; i++) if (a[i] !== b[i]) different++;
  return different / count;
}

function nameOf({ kind, expression = 'own', sparsity }: Way): string {
  return `${kind} ${expression === 'own' ? 'own' : WAYS.findIndex((way) => way.expression === expression)} ${sparsity.replace(':', ' of ')}`;
}

function share({ sparsity }: Way): { share: number } | { nm: string } {
  return sparsity.includes(':') ? { nm: sparsity } : { share: parseFloat(sparsity) / 100 };
}
