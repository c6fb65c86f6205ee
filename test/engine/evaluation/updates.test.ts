import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Rng } from '../../../src/base/rng.ts';
import { createEngine, type Engine } from '../../../src/engine/engine.ts';
import type { TextPlan, WeightEvaluation } from '../../../src/experiment/planSchema.ts';
import type { PerplexityResult } from '../../../src/experiment/resultSchema.ts';
import { DEFAULT_SETTINGS, type DeviceName, type EvaluationSettings } from '../../../src/experiment/settings.ts';
import { parseSparsity } from '../../../src/experiment/sparsity.ts';
import type { WeightUpdate } from '../../../src/experiment/updates.ts';
import type { FamilyName } from '../../support/generate/families.ts';
import { temporaryFamily, type TemporaryFamily } from '../../support/generate/temporaryFamily.ts';
import { readOracleConfig } from '../../support/oracle/config.ts';
import { loadOracle, oracleModel } from '../../support/oracle/model.ts';
import { perplexity } from '../../support/oracle/perplexity.ts';
import { fromPrefix } from '../../support/oracle/prefix.ts';
import { evenSamples, pruned, zeroShare } from '../../support/oracle/prune.ts';
import { tokenize } from '../../support/oracle/tokenize.ts';

// Whole models, pruned and updated block by block, against float64 loops: every weight, the zeros, and the perplexity.

/** Biases, weights that are stored transposed, one input for attention and MLP, experts, one of them unseen. */
const FAMILIES: readonly FamilyName[] = [
  ...(['llama-3.1', 'llama biases', 'gpt-2', 'opt-350m', 'gpt-neox', 'falcon 40b', 'phi-3', 'gemma2'] as const),
  ...(['bloom', 'mixtral', 'qwen2-moe', 'qwen3-moe'] as const),
];

const SPARSEGPT = { method: 'sparsegpt', damping: 0.01, columns: 128 } as const;
const ADMM = { method: 'admm', iterations: 20, damping: 0.1 } as const;
const [SAMPLES, LENGTH, BLOCKS] = [6, 24, 2];

/** Another device can be put to the same test: ESPALIER_TEST_DEVICE=webgpu. */
const device = (process.env['ESPALIER_TEST_DEVICE'] ?? 'cpu') as DeviceName;

interface Case {
  readonly metric: 'sparsegpt' | 'mul(W, sqrt(X))' | 'W' | 'mul(W, add(Xabs, Xmax))';
  readonly update: WeightUpdate;
  readonly sparsity: '50%' | '2:4' | '30%' | '70%';
  readonly calibrate: 'sequential' | 'one-shot';
  readonly rates?: readonly number[];
}

const rng = new Rng(12);
const oneOf = <Choice>(choices: readonly Choice[]): Choice => choices[rng.integer(choices.length)]!;

/** What is asked for drawn at random, but each update once in each family. */
function drawn(method: WeightUpdate['method']): Case {
  const damping = oneOf([0.01, 0.1, 1]);
  const update: WeightUpdate =
    method === 'admm'
      ? { method, iterations: oneOf([1, 7, 20]), damping }
      : { method, damping, columns: oneOf([8, 24, 128]) };
  const metrics = ['mul(W, sqrt(X))', 'W', 'mul(W, add(Xabs, Xmax))'] as const;
  const metric = method === 'sparsegpt' ? oneOf(['sparsegpt', ...metrics] as const) : oneOf(metrics);
  const sparsity = oneOf(['50%', '2:4', '30%', '70%'] as const);
  const rates = sparsity !== '2:4' && oneOf([true, false]) ? [0, 0.6, 0.4, 0.5] : undefined;
  return { metric, update, sparsity, calibrate: oneOf(['sequential', 'one-shot']), ...(rates && { rates }) };
}

const CASES = FAMILIES.flatMap((family) => [
  { family, asked: drawn('sparsegpt') },
  { family, asked: drawn('admm') },
]);
const OF_ALL: readonly { readonly family: FamilyName; readonly asked: Case }[] = [
  { family: 'gpt-2', asked: { metric: 'sparsegpt', update: SPARSEGPT, sparsity: '2:4', calibrate: 'sequential' } },
  { family: 'mixtral', asked: { metric: 'sparsegpt', update: SPARSEGPT, sparsity: '50%', calibrate: 'sequential' } },
  { family: 'qwen3-moe', asked: { metric: 'W', update: ADMM, sparsity: '50%', calibrate: 'one-shot' } },
  { family: 'llama-3.1', asked: { metric: 'mul(W, sqrt(X))', update: ADMM, sparsity: '2:4', calibrate: 'one-shot' } },
  ...CASES,
];

let engine: Engine;
const families = new Map<FamilyName, TemporaryFamily>();
beforeAll(async () => {
  engine = createEngine();
  for (const name of FAMILIES) families.set(name, await temporaryFamily(name));
});
afterAll(async () => {
  await engine.dispose();
  for (const family of families.values()) await family.remove();
});

describe('updated after the mask, the weights are those of the loops', () => {
  test.each(OF_ALL.map((each) => [each.family, wordsOf(each.asked), each] as const))('%s: %s', async (_, __, each) => {
    const { family: name, asked } = each;
    const family = families.get(name)!;
    const found = new Map<string, Float32Array>();
    const plan = planOf(family, [evaluationOf(asked, depthOf(family))], { calibrate: asked.calibrate });
    const [result] = await engine.evaluate(plan, {
      onPruned: ({ tensor, weight }) => found.set(tensor, weight.slice()),
    });
    const expected = expectedOf(family, asked);
    for (const [tensor, weight] of found) {
      const { values } = expected.tensors.get(tensor)!;
      expect(distance(weight, values), tensor).toBeLessThan(2e-3);
      expect(bitsOf(weight), tensor).toBe(bitsOf(values));
    }
    const tokens = tokenize(family.folder, family.text);
    expect(result!.actualSparsity).toBeCloseTo(zeroShare(expected), 9);
    expect(result!.perplexity / perplexity(expected, tokens, LENGTH, BLOCKS) - 1).toBeCloseTo(0, 3);
    expect(result!.update).toEqual({ update: asked.update });
  });
});

describe('one plan of several', () => {
  const evaluations = (family: TemporaryFamily): readonly WeightEvaluation[] =>
    (
      [
        { metric: 'mul(W, sqrt(X))', update: SPARSEGPT },
        { metric: 'W', update: SPARSEGPT },
        { metric: 'sparsegpt', update: SPARSEGPT },
        { metric: 'W', update: ADMM },
      ] as const
    ).map((each) => evaluationOf({ ...each, sparsity: '50%', calibrate: 'one-shot' }, depthOf(family)));

  test.each(['sequential', 'one-shot'] as const)(
    '%s: each is what it is alone, as is a metric without an update',
    async (calibrate) => {
      const family = families.get('llama biases')!;
      const without = { metric: 'W', expression: fromPrefix('W'), sparsity: parseSparsity('50%')! };
      const all = [without, ...evaluations(family)];
      const together = await engine.evaluate(planOf(family, all, { calibrate }));
      const alone: PerplexityResult[] = [];
      for (const each of all) alone.push(...(await engine.evaluate(planOf(family, [each], { calibrate }))));
      expect(together.map(numbersOf)).toEqual(alone.map(numbersOf));
      expect(new Set(together.map(({ fingerprint }) => fingerprint)).size).toBe(all.length);
      // An update is better than none.
      expect(together[2]!.perplexity).not.toBe(together[0]!.perplexity);
    },
  );

  test('rates by OWL, with one calibration for rates and update', async () => {
    const family = families.get('llama-3.1')!;
    const owl = { ...evaluations(family)[0]!, rates: { kind: 'owl', multiple: 2, spread: 0.2 } } as const;
    for (const calibrate of ['sequential', 'one-shot'] as const) {
      const [result] = await engine.evaluate(planOf(family, [owl], { calibrate }));
      // Rates are told as what was lost: of each layer a whole number of weights, of which none is to be lost to rounding.
      const rates = result!.rates!.map((rate) => rate + 0.005);
      const given = { ...owl, rates: { kind: 'given', rates } } as const;
      const [again] = await engine.evaluate(planOf(family, [given], { calibrate }));
      expect(again!.perplexity).toBe(result!.perplexity);
      expect(result!.update).toEqual({ update: SPARSEGPT });
    }
  });
});

test.each(['W', 'sparsegpt'] as const)('an expert that no token went through stays as it is: %s', async (metric) => {
  const family = families.get('qwen3-moe')!;
  const asked = evaluationOf({ metric, update: SPARSEGPT, sparsity: '50%', calibrate: 'sequential' }, 0);
  const changed = new Set<string>();
  const [result] = await engine.evaluate(planOf(family, [asked], { samples: 1, calibrationLength: 2 }), {
    onPruned: ({ tensor }) => changed.add(tensor),
  });
  const unseen = result!.unseenExperts!;
  expect(unseen.length).toBeGreaterThan(1);
  expect([...changed].filter((tensor) => unseen.some((expert) => tensor.startsWith(`${expert}.`)))).toEqual([]);
  expect([...changed].some((tensor) => tensor.includes('.experts.'))).toBe(true);
});

test('cancelled between layers, it stops', async () => {
  const family = families.get('llama-3.1')!;
  const controller = new AbortController();
  const details: string[] = [];
  const asked = evaluationOf({ metric: 'W', update: ADMM, sparsity: '50%', calibrate: 'sequential' }, 0);
  const evaluation = engine.evaluate(planOf(family, [asked], {}), {
    signal: controller.signal,
    onProgress: ({ detail }) => {
      details.push(detail);
      if (details.filter((text) => text.startsWith('updating')).length === 3) controller.abort();
    },
  });
  await expect(evaluation).rejects.toMatchObject({ code: 'cancelled' });
  expect(details.at(-1)).toMatch(/^updating/);
});

test.each([
  ['ADMM', { ...ADMM, iterations: 5000 }],
  ['SparseGPT', SPARSEGPT],
] as const)('cancelled amid %s of a layer, it stops there', async (_, update) => {
  const family = families.get('llama-3.1')!;
  const controller = new AbortController();
  const layers: string[] = [];
  const asked = evaluationOf({ metric: 'W', update, sparsity: '50%', calibrate: 'sequential' }, 0);
  const evaluation = engine.evaluate(planOf(family, [asked], {}), {
    signal: controller.signal,
    onProgress: ({ detail }) => {
      if (!detail.startsWith('updating')) return;
      layers.push(detail);
      // The first turn is looked at when this step ends, the second when the next layer is on its way.
      setImmediate(() =>
        setImmediate(() => {
          controller.abort();
        }),
      );
    },
  });
  await expect(evaluation).rejects.toMatchObject({ code: 'cancelled' });
  expect(layers).toHaveLength(1);
});

function evaluationOf({ metric, update, sparsity, rates }: Case, depth: number): WeightEvaluation {
  return {
    metric,
    ...(metric !== 'sparsegpt' && { expression: fromPrefix(metric) }),
    sparsity: parseSparsity(sparsity)!,
    update,
    ...(rates && { rates: { kind: 'given', rates: rates.slice(0, depth) } }),
  };
}

function planOf(
  { folder, textFile, calibrationFile }: TemporaryFamily,
  evaluations: readonly WeightEvaluation[],
  settings: Partial<EvaluationSettings>,
): TextPlan {
  const few = { device, threads: 1, samples: SAMPLES, blocks: BLOCKS, length: LENGTH, offsets: 'even' } as const;
  return {
    ...{ model: folder, text: textFile, calibration: calibrationFile, evaluations },
    settings: { ...DEFAULT_SETTINGS, ...few, ...settings },
  };
}

function expectedOf({ folder, calibration }: TemporaryFamily, asked: Case) {
  const config = readOracleConfig(folder);
  return pruned(loadOracle(folder), (tensors) => oracleModel(config, tensors), {
    ...(asked.metric !== 'sparsegpt' && { expression: fromPrefix(asked.metric) }),
    ...(asked.rates && { rates: asked.rates }),
    ...{ sparsity: parseSparsity(asked.sparsity)!, update: asked.update, calibrate: asked.calibrate, group: 'row' },
    samples: evenSamples(tokenize(folder, calibration), SAMPLES, LENGTH),
  });
}

function depthOf({ folder }: TemporaryFamily): number {
  return loadOracle(folder).depth;
}

function wordsOf({ metric, update, sparsity, calibrate, rates }: Case): string {
  return `${metric} ${JSON.stringify(update)} ${sparsity} ${calibrate}${rates ? ', rates' : ''}`;
}

function numbersOf({ perplexity: value, actualSparsity, fingerprint }: PerplexityResult) {
  return { value, actualSparsity, fingerprint };
}

function bitsOf(weights: Float32Array | Float64Array): string {
  return Array.from(weights, (value) => (value === 0 ? '0' : '1')).join('');
}

/** ‖a − b‖ / ‖b‖ */
function distance(a: Float32Array, b: Float64Array): number {
  let [difference, norm] = [0, 0];
  b.forEach((value, i) => {
    difference += (a[i]! - value) ** 2;
    norm += value ** 2;
  });
  return Math.sqrt(difference / norm);
}
