import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { ErrorData } from '../../../src/base/errors.ts';
import { createEngine, type Engine } from '../../../src/engine/engine.ts';
import type { RemovedComponents } from '../../../src/engine/evaluation/removal.ts';
import { packBits } from '../../../src/experiment/components.ts';
import type { TextPlan, PlannedEvaluation, WeightEvaluation } from '../../../src/experiment/planSchema.ts';
import type { EvaluationProgress, PerplexityResult } from '../../../src/experiment/resultSchema.ts';
import { DEFAULT_SETTINGS, type EvaluationSettings } from '../../../src/experiment/settings.ts';
import { parseSparsity } from '../../../src/experiment/sparsity.ts';
import type { Sparsity } from '../../../src/experiment/sparsitySchema.ts';
import { OWL, STRUCTURE_METHOD_NAMES, STRUCTURE_METHODS, UNIFORM } from '../../../src/experiment/structure.ts';
import type { RateAllocation, Structure, StructureScore } from '../../../src/experiment/structureSchema.ts';
import type { StructureMethod } from '../../../src/experiment/structure.ts';
import { temporaryFamily, type TemporaryFamily } from '../../support/generate/temporaryFamily.ts';
import { fromPrefix } from '../../support/oracle/prefix.ts';

// Structural evaluations through the engine's door: what they share, what they say, and what is refused.

/** What the engine is told to be free; undefined leaves it what it is. */
const pretended = vi.hoisted((): { memory?: number | undefined } => ({}));
vi.mock(import('../../../src/engine/runtime/memory.ts'), async (original) => {
  const memory = await original();
  return { ...memory, availableMemory: () => pretended.memory ?? memory.availableMemory() };
});

const GROUPS = 2;
const CHANNELS = 56;
let family: TemporaryFamily;
let engine: Engine;
beforeAll(async () => {
  family = await temporaryFamily('llama-2 grouped queries');
  engine = createEngine();
});
afterAll(async () => {
  await engine.dispose();
  await family.remove();
});

describe('what cannot be removed fails alone', () => {
  const all = (kept: number) => ({ groups: packBits(bits(GROUPS, kept)), channels: packBits(bits(CHANNELS, kept)) });
  test.each<[string, PlannedEvaluation, Partial<ErrorData>]>([
    [
      'a constant metric',
      scored(metric('mul(0, W)'), UNIFORM),
      { code: 'metric/invalid-score', operation: 'scoring model.layers.0.self_attn.o_proj.weight with bad' },
    ],
    [
      'a metric that is not finite',
      scored(metric('quotient(W, 0)'), UNIFORM),
      { code: 'metric/invalid-score', operation: 'scoring model.layers.0.self_attn.o_proj.weight with bad' },
    ],
    [
      'a metric whose scores add up to more than there is',
      scored(metric('mul(300000000000000000000000000000000000000, sub(1, W))'), UNIFORM),
      { code: 'metric/invalid-score', operation: 'scoring the heads of block 1 with bad', actual: 'Infinity' },
    ],
    [
      'rates of another model',
      scored(method('wanda-sp'), { kind: 'given', rates: [0.5, 0.5] }),
      { code: 'settings/invalid', actual: '2 rates' },
    ],
    ['a sparsity below half a channel', scored(method('magnitude'), UNIFORM, '0.1%'), { code: 'settings/invalid' }],
    ['a sparsity below half a block', scored(method('shortgpt'), UNIFORM, '10%'), { code: 'settings/invalid' }],
    ['whole blocks by rates', scored(method('shortgpt'), OWL), { code: 'settings/invalid', actual: 'owl' }],
    ['N:M of components', scored(method('magnitude'), UNIFORM, '2:4'), { code: 'settings/invalid', actual: '2:4' }],
    ['a mask of another depth', masked([all(1), all(1)]), { code: 'settings/invalid', actual: 'one of 2' }],
    [
      'a mask of other sizes',
      masked([all(1), all(1), { groups: 'c', channels: 'f' }]),
      { code: 'settings/invalid', expected: `a mask of ${GROUPS} groups and ${CHANNELS} channels in block 3` },
    ],
    [
      'a mask with bits beyond the components',
      masked([all(1), all(1), { ...all(1), groups: 'f' }]),
      { code: 'settings/invalid' },
    ],
    [
      'a mask without a block',
      masked([0, 1, 2].map(() => ({ ...all(1), dropped: true as const }))),
      { code: 'settings/invalid', actual: 'one that drops them all' },
    ],
    ['single weights by one threshold', weights({ kind: 'global' }), { code: 'settings/invalid', actual: 'global' }],
    ['N:M by rates', weights(OWL, '2:4'), { code: 'settings/invalid', actual: '2:4' }],
    [
      'weights at rates of another model',
      weights({ kind: 'given', rates: [1] }),
      { code: 'settings/invalid', actual: '1 rates' },
    ],
  ])('%s', async (_, bad, error) => {
    const failures: [ErrorData, number][] = [];
    const seen: number[] = [];
    const results = await engine.evaluate(planOf([bad, scored(method('magnitude'), UNIFORM)]), {
      onFailure: (failure, index) => failures.push([failure, index]),
      onResult: (__, index) => seen.push(index),
    });
    expect(failures).toEqual([[expect.objectContaining(error), 0]]);
    expect(failures[0]![0].remedy).toMatch(/\.$/);
    expect(seen).toEqual([1]);
    expect(results.map((result) => result.structure?.method)).toEqual(['magnitude']);
    await expect(engine.evaluate(planOf([bad]))).rejects.toMatchObject({ code: error.code });
  });
});

test('every method and every allocation: steps as foretold, and the same where nothing fits into memory', async () => {
  const evaluations = [
    // Experts are removed of models that have some: experts.test.ts.
    ...STRUCTURE_METHOD_NAMES.filter((name) => STRUCTURE_METHODS[name].removes !== 'experts').map((name) =>
      scored(method(name), UNIFORM),
    ),
    ...[OWL, { kind: 'global' } as const].map((rates) => scored(method('wanda-sp'), rates)),
    scored(metric('mul(W, G)'), UNIFORM),
    weights(OWL),
  ];
  const asked = planOf(evaluations);
  const fresh = createEngine();
  const { steps } = await fresh.preflight(asked);
  const seen: EvaluationProgress[] = [];
  const results = await fresh.evaluate(asked, { onProgress: (progress) => seen.push(progress) });
  const counted = seen.filter(({ total }) => total > 0);
  expect(counted.length).toBe(steps);
  expect(counted.at(-1)).toMatchObject({ done: steps, total: steps });
  await fresh.dispose();

  for (const result of results) expect(result.actualSparsity).toBeGreaterThan(0.2);
  expect(results.map(({ gradients }) => gradients)).toEqual([
    ...bits(7, 0).map(() => undefined),
    'computed',
    undefined,
  ]);
  expect(results.map(({ structure }) => structure?.blocks.map((block) => block.dropped ?? false))).toEqual(
    results.map(({ structure, metric: name }) =>
      structure?.blocks.map((block) => name === 'shortgpt' && block.removed === 1),
    ),
  );

  pretended.memory = 1000;
  const crowded = createEngine();
  const again = await crowded.evaluate(asked);
  expect(again.map(({ perplexity }) => perplexity)).toEqual(results.map(({ perplexity }) => perplexity));
  await crowded.dispose();
  pretended.memory = undefined;
});

test('a preflight counts what will run, and the room that it takes', async () => {
  const bad = scored(method('wanda-sp'), { kind: 'given', rates: [1] });
  const masks = await engine.preflight(planOf([bad, scored(method('wanda-sp'), UNIFORM)]));
  const back = await engine.preflight(planOf([scored(method('taylor'), UNIFORM), weights()]));
  const names = ({ costs }: typeof masks): string[] => costs.map(({ name }) => name);
  expect(names(masks)).not.toContain('pruned weights');
  expect(names(masks)).not.toContain('block inputs on the way back');
  expect(names(back)).toEqual(expect.arrayContaining(['pruned weights', 'block inputs on the way back']));
  await expect(engine.preflight(planOf([bad]))).rejects.toMatchObject({ code: 'settings/invalid' });
});

describe('what was found', () => {
  let found: PerplexityResult;
  let removed: RemovedComponents;
  beforeAll(async () => {
    [found] = (await engine.evaluate(planOf([scored(method('wanda-sp'), OWL)]), {
      onRemoved: (components) => (removed = components),
    })) as [PerplexityResult];
  });

  test('is what the hook is told, and what the report says of parameters', async () => {
    const { blocks, parameters, allocation } = found.structure!;
    expect(removed.mask).toEqual(
      blocks.map(({ groupBits, channelBits }) => ({ groups: groupBits, channels: channelBits })),
    );
    expect(allocation).toBe('owl');
    const mean = blocks.reduce((sum, { rate }) => sum + rate!, 0) / blocks.length;
    expect(mean).toBeCloseTo(0.4, 9);
    expect(found.rates).toEqual(blocks.map((block) => block.removed));
    const { parameters: dense } = await engine.describe(family.folder);
    expect(parameters.dense).toBe(dense);
    // Query, key, value and output rows of two heads of 8 for a group; gate, up and down of a channel.
    const gone = blocks.reduce(
      (sum, { groups, channels }) =>
        sum + (groups.of - groups.kept) * (2 * 2 + 2) * 8 * 32 + (channels.of - channels.kept) * 3 * 32,
      0,
    );
    expect(parameters.pruned).toBe(dense - gone - normsGone(blocks));
  });

  test('gives the same as a mask, without calibration', async () => {
    const plan = planOf([masked(removed.mask)]);
    const [again] = await engine.evaluate({
      model: plan.model,
      text: plan.text,
      evaluations: plan.evaluations,
      settings: plan.settings,
    });
    expect(again!.perplexity).toBe(found.perplexity);
    expect(again!.actualSparsity).toBe(found.actualSparsity);
    expect(again!.structure).toMatchObject({
      method: 'mask',
      allocation: 'mask',
      parameters: found.structure!.parameters,
    });
    expect(again!.structure!.blocks.every((block) => block.rate === undefined)).toBe(true);
  });

  test('a dropped block is left out as a mask without anything is, where blocks add to what goes through', async () => {
    const [first, second, third] = removed.mask as [
      RemovedComponents['mask'][0],
      RemovedComponents['mask'][0],
      RemovedComponents['mask'][0],
    ];
    const nothing = { groups: packBits(bits(GROUPS, 0)), channels: packBits(bits(CHANNELS, 0)) };
    const [dropped, empty] = await engine.evaluate(
      planOf([masked([first, { ...second, dropped: true }, third]), masked([first, nothing, third])]),
    );
    expect(dropped!.perplexity).toBeCloseTo(empty!.perplexity, 4);
    expect(dropped!.actualSparsity).toBe(empty!.actualSparsity);
    const [spelled] = await engine.evaluate(planOf([masked([first, { ...nothing, dropped: true }, third])]));
    expect(spelled).toEqual({
      ...dropped,
      seconds: expect.any(Number) as number,
      structure: expect.anything() as object,
    });
    expect(dropped!.structure!.blocks[1]).toMatchObject({ dropped: true, removed: 1, groups: { kept: 0, of: GROUPS } });
  });

  test('its fingerprint is of what decides it', async () => {
    const of = async (evaluation: PlannedEvaluation, settings: Partial<EvaluationSettings> = {}): Promise<string> =>
      (await engine.evaluate(planOf([evaluation], settings)))[0]!.fingerprint;
    expect(await of({ ...scored(method('wanda-sp'), OWL), metric: 'renamed' })).toBe(found.fingerprint);
    expect(await of(scored(method('wanda-sp'), OWL), { calibrate: 'one-shot' })).toBe(found.fingerprint);
    const others = [found.fingerprint];
    others.push(await of(scored(method('wanda-sp'), UNIFORM)));
    others.push(await of(scored(method('wanda-sp'), OWL, '41%')));
    others.push(await of(scored(method('wanda-sp'), OWL), { samples: 3 }));
    others.push(await of(scored(metric('mul(W, sqrt(X))'), OWL)));
    others.push(await of(masked(removed.mask)));
    others.push(await of(masked(removed.mask.map((block) => ({ ...block, groups: 'c' })))));
    expect(new Set(others).size).toBe(others.length);
  });
});

describe('weights by rates', () => {
  test('of the same rate everywhere are those without', async () => {
    const [plain, given] = await engine.evaluate(
      planOf([weights(), weights({ kind: 'given', rates: [0.4, 0.4, 0.4] })]),
    );
    expect(given!.perplexity).toBe(plain!.perplexity);
    expect(plain!.rates).toBeUndefined();
    expect(given!.fingerprint).not.toBe(plain!.fingerprint);
  });

  test('that are spelled alike are not taken for one another', async () => {
    const below = 0.5 - 2 ** -54;
    const [result] = await engine.evaluate(planOf([weights({ kind: 'given', rates: [0.5, below, 0.5] })]));
    expect(result!.rates![0]).toBeGreaterThanOrEqual(0.5);
    expect(result!.rates![1]).toBeLessThan(0.5);
  });

  test.each(['sequential', 'one-shot'] as const)('lose of each block what was asked, %s', async (calibrate) => {
    const rates = [0, 0.25, 0.75];
    const [given, owl, components] = await engine.evaluate(
      planOf([weights({ kind: 'given', rates }), weights(OWL), scored(method('magnitude'), OWL)], { calibrate }),
    );
    // OWL's rates are those that components get, which are held against the oracle.
    const same = components!.structure!.blocks.map(({ rate }) => rate!);
    const [spelled] = await engine.evaluate(planOf([weights({ kind: 'given', rates: same })], { calibrate }));
    expect(owl!.perplexity).toBe(spelled!.perplexity);
    expect(owl!.rates).toEqual(spelled!.rates);
    given!.rates!.forEach((lost, index) => {
      expect(Math.abs(lost - rates[index]!)).toBeLessThan(0.02);
    });
    expect(given!.rates![0]).toBe(0);
    expect(given!.calibrate).toBe(calibrate);
    expect(owl!.actualSparsity).toBeCloseTo(0.4, 1);
    expect(new Set(owl!.rates).size).toBe(3);
    expect(Math.max(...owl!.rates!) - Math.min(...owl!.rates!)).toBeGreaterThan(0.1);
  });
});

function method(name: StructureMethod): StructureScore {
  return { kind: 'method', method: name };
}

function metric(prefix: string): StructureScore {
  return { kind: 'metric', expression: fromPrefix(prefix) };
}

/** Plans come from outside, too: a sparsity that their type does not allow is one of the tests. */
function scored(score: StructureScore, rates: RateAllocation, sparsity = '40%'): PlannedEvaluation {
  const name = score.kind === 'method' ? score.method : 'bad';
  return evaluationOf(name, { kind: 'scored', score, rates }, parseSparsity(sparsity)!);
}

function masked(mask: Extract<Structure, { kind: 'mask' }>['mask']): PlannedEvaluation {
  return evaluationOf('found', { kind: 'mask', mask }, parseSparsity('40%')!);
}

function evaluationOf(name: string, structure: Structure, sparsity: Sparsity): PlannedEvaluation {
  return { metric: name, structure, sparsity } as PlannedEvaluation;
}

function weights(rates?: RateAllocation, sparsity = '40%'): WeightEvaluation {
  const expression = fromPrefix('mul(W, sqrt(X))');
  return { metric: 'wanda', expression, sparsity: parseSparsity(sparsity)!, ...(rates && { rates }) };
}

function planOf(evaluations: readonly PlannedEvaluation[], settings: Partial<EvaluationSettings> = {}): TextPlan {
  const small = { device: 'cpu', threads: 1, length: 16, samples: 2, blocks: 1, offsets: 'even' } as const;
  return {
    ...{ model: family.folder, text: family.textFile, calibration: family.calibrationFile, evaluations },
    settings: { ...DEFAULT_SETTINGS, ...small, ...settings },
  };
}

function bits(count: number, kept: number): number[] {
  return Array.from({ length: count }, () => kept);
}

/** A norm in front of nothing is gone, too. */
function normsGone(blocks: NonNullable<PerplexityResult['structure']>['blocks']): number {
  return blocks.reduce(
    (sum, { groups, channels }) => sum + 32 * (Number(groups.kept === 0) + Number(channels.kept === 0)),
    0,
  );
}
