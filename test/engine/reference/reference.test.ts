import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createEngine, type Engine } from '../../../src/engine/engine.ts';
import type { EvaluationHooks } from '../../../src/engine/evaluation/hooks.ts';
import type { PrunedLayer } from '../../../src/engine/pruning/pruner.ts';
import { unpackBits } from '../../../src/experiment/components.ts';
import type { TextPlan, StructureEvaluation } from '../../../src/experiment/planSchema.ts';
import type { PerplexityResult } from '../../../src/experiment/resultSchema.ts';
import { DEFAULT_SETTINGS, type EvaluationSettings } from '../../../src/experiment/settings.ts';
import { parseSparsity } from '../../../src/experiment/sparsity.ts';
import { GRADIENT_METRICS, METRICS } from '../../support/oracle/metrics.ts';
import { fromPrefix } from '../../support/oracle/prefix.ts';
import {
  askPeer,
  REFERENCE_CALIBRATION,
  REFERENCE_MODEL,
  REFERENCE_TEXT,
  whyNoPeer,
  type PeerReply,
} from '../../support/peer.ts';

// The trained checkpoint, real text, and the PyTorch reference: same tokens, same blocks, tolerances of docs/quality.md.

const [LENGTH, SAMPLES, BLOCKS] = [256, 16, 8];

const ALL_METRICS = { ...METRICS, ...GRADIENT_METRICS };

interface Way {
  readonly metric: keyof typeof ALL_METRICS;
  readonly sparsity: string;
  readonly calibrate: 'sequential' | 'one-shot';
  /** Whether the operands and masks are compared too. */
  readonly record?: boolean;
}

const WAYS: readonly Way[] = [
  { metric: 'magnitude', sparsity: '50%', calibrate: 'sequential' },
  { metric: 'wanda', sparsity: '50%', calibrate: 'sequential', record: true },
  { metric: 'wanda', sparsity: '2:4', calibrate: 'sequential' },
  { metric: 'wanda', sparsity: '4:8', calibrate: 'sequential' },
  { metric: 'scaled', sparsity: '50%', calibrate: 'sequential' },
  { metric: 'mixed', sparsity: '50%', calibrate: 'sequential' },
  { metric: 'prunerZero', sparsity: '50%', calibrate: 'sequential', record: true },
  { metric: 'wanda', sparsity: '50%', calibrate: 'one-shot', record: true },
  { metric: 'wanda', sparsity: '2:4', calibrate: 'one-shot' },
  { metric: 'mixed', sparsity: '4:8', calibrate: 'one-shot' },
  { metric: 'taylor', sparsity: '50%', calibrate: 'one-shot', record: true },
];

/** Wanda-sp, which removes heads and channels, by the rate of each block. */
const STRUCTURES = [
  { name: 'wanda-sp at 50%', rates: [0.5, 0.5, 0.5, 0.5, 0.5, 0.5] },
  { name: 'wanda-sp at uneven rates', rates: [0.05, 0.2, 0.37, 0.451, 0.62, 1] },
];

const missing = whyNoPeer();
const title = 'on the trained checkpoint the engine agrees with the reference on';

describe.skipIf(missing !== undefined)(missing === undefined ? title : `${title} (skipped: ${missing})`, () => {
  let peer: PeerReply;
  let engine: Engine;
  beforeAll(async () => {
    engine = createEngine();
    const evaluations = WAYS.map((way) => ({
      ...way,
      name: nameOf(way),
      expression: ALL_METRICS[way.metric],
      ...share(way),
    }));
    peer = await askPeer({
      length: LENGTH,
      samples: SAMPLES,
      blocks: BLOCKS,
      evaluations: [{ name: 'dense' }, ...evaluations, ...STRUCTURES],
    });
  }, 120_000);
  afterAll(async () => {
    await engine.dispose();
    await peer.remove();
  });

  test('the token ids of the whole text', async () => {
    const ids = await engine.tokens(REFERENCE_MODEL, REFERENCE_TEXT);
    expect(ids.length).toBe(peer.tokens.length);
    expect(ids.findIndex((id, i) => id !== peer.tokens[i])).toBe(-1);
  });

  test('the dense perplexity', async () => {
    const [dense] = await evaluate({}, []);
    expect(relative(dense!.perplexity, peer.values.get('dense')!)).toBeLessThan(1e-4);
  });

  describe.each(['sequential', 'one-shot'] as const)('%s', (calibrate) => {
    const ways = WAYS.filter((way) => way.calibrate === calibrate);
    const recorded = (operand: string): readonly Way[] =>
      ways.filter(({ metric, record }) => record === true && ALL_METRICS[metric].includes(operand));
    const layers = new Map<Way, SeenLayer[]>();
    let results: readonly PerplexityResult[];
    beforeAll(async () => {
      results = await evaluate({ calibrate }, ways, (layer, index) => {
        const way = ways[index]!;
        if (way.record) layers.set(way, [...(layers.get(way) ?? []), look(layer)]);
      });
    }, 120_000);

    test.each(ways)('$metric at $sparsity: the perplexity', (way) => {
      const result = results[ways.indexOf(way)]!;
      expect(relative(result.perplexity, peer.values.get(nameOf(way))!)).toBeLessThan(1e-3);
      expect(result.actualSparsity).toBeGreaterThanOrEqual(0.5);
      expect(result.actualSparsity).toBeLessThan(0.501);
    });

    test.each(recorded('X'))('$metric at $sparsity: the X operand of every layer', async (way) => {
      const expected = await peer.inputs(nameOf(way));
      let at = 0;
      for (const { layer, x } of layers.get(way)!) {
        const slice = expected.subarray(at, at + x!.length);
        expect(distance(x!, slice), layer).toBeLessThan(1e-3);
        at += x!.length;
      }
      expect(at).toBe(expected.length);
    });

    test.each(recorded('G'))('$metric at $sparsity: the G operand of every layer', async (way) => {
      const expected = await peer.gradients(nameOf(way));
      let [at, sum] = [0, 0];
      for (const { layer, gradient } of layers.get(way)!) {
        const slice = expected.subarray(at, at + gradient!.length);
        expect(distance(gradient!, slice), layer).toBeLessThan(1e-4);
        for (const value of gradient!) sum += value;
        at += gradient!.length;
      }
      expect(at).toBe(expected.length);
      // What the reference's own job `operands` prints for these samples.
      expect(relative(sum, 1_203_899.88)).toBeLessThan(1e-5);
    });

    test.each(ways.filter(({ record }) => record))('$metric at $sparsity: the masks', async (way) => {
      const expected = await peer.masks(nameOf(way));
      let [at, different] = [0, 0];
      for (const { removed } of layers.get(way)!) {
        removed.forEach((gone, i) => {
          if (gone !== expected[at + i]) different++;
        });
        at += removed.length;
      }
      expect(at).toBe(expected.length);
      expect(different / at).toBeLessThan(1e-3);
    });
  });

  test.each(STRUCTURES)('$name: what stays, and the perplexity', async ({ name, rates }) => {
    const [result] = await engine.evaluate({ ...PLAN, evaluations: [wandaSp(rates)] });
    const blocks = result!.structure!.blocks.map(({ groupBits, channelBits, groups, channels }) => [
      [...unpackBits(groupBits, groups.of)],
      [...unpackBits(channelBits, channels.of)],
    ]);
    expect(blocks).toEqual(peer.kept.get(name));
    expect(relative(result!.perplexity, peer.values.get(name)!)).toBeLessThan(1e-3);
    expect(result!.calibrate).toBe('one-shot');
  });

  function evaluate(
    settings: Partial<EvaluationSettings>,
    ways: readonly Way[],
    onPruned?: EvaluationHooks['onPruned'],
  ) {
    const evaluations = ways.map(({ metric, sparsity }) => ({
      metric,
      expression: fromPrefix(ALL_METRICS[metric]),
      sparsity: parseSparsity(sparsity)!,
    }));
    return engine.evaluate({ ...PLAN, evaluations, settings: { ...PLAN.settings, ...settings } }, { onPruned });
  }
});

const COMMON: Partial<EvaluationSettings> = {
  device: 'cpu',
  threads: 1,
  length: LENGTH,
  samples: SAMPLES,
  blocks: BLOCKS,
  offsets: 'even',
};

const PLAN: TextPlan = {
  model: REFERENCE_MODEL,
  text: REFERENCE_TEXT,
  calibration: REFERENCE_CALIBRATION,
  evaluations: [],
  settings: { ...DEFAULT_SETTINGS, ...COMMON },
};

function wandaSp(rates: readonly number[]): StructureEvaluation {
  const uniform = rates.every((rate) => rate === rates[0]);
  return {
    metric: 'wanda-sp',
    structure: {
      kind: 'scored',
      score: { kind: 'method', method: 'wanda-sp' },
      rates: uniform ? { kind: 'uniform' } : { kind: 'given', rates },
    },
    sparsity: { kind: 'unstructured', share: rates.reduce((sum, rate) => sum + rate, 0) / rates.length },
  };
}

/** What one linear layer was pruned by, and how: 1 where a weight is zero now. (A few were zero before: far less than the tolerance.) */
interface SeenLayer {
  readonly layer: string;
  readonly x: Float32Array | undefined;
  readonly gradient: Float32Array | undefined;
  readonly removed: Uint8Array;
}

function look({ tensor, rows, gradient, weight }: PrunedLayer): SeenLayer {
  const removed = Uint8Array.from(weight, (value) => Number(value === 0));
  return { layer: tensor, x: rows.X?.slice(), gradient: gradient?.slice(), removed };
}

function nameOf({ metric, sparsity, calibrate }: Way): string {
  return `${metric} ${sparsity.replace(':', ' of ')} ${calibrate}`;
}

/** The sparsity as the reference takes it. */
function share({ sparsity }: Way): { share: number } | { nm: string } {
  return sparsity.includes(':') ? { nm: sparsity } : { share: parseFloat(sparsity) / 100 };
}

function relative(value: number, expected: number): number {
  return Math.abs(value / expected - 1);
}

/** ‖a − b‖ / ‖b‖ */
function distance(a: Float32Array, b: Float32Array): number {
  let [difference, norm] = [0, 0];
  b.forEach((value, i) => {
    difference += (a[i]! - value) ** 2;
    norm += value ** 2;
  });
  return Math.sqrt(difference / norm);
}
