import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { LoadedModels } from '../../../src/engine/forward/loadedModels.ts';
import { TokenCache } from '../../../src/engine/forward/tokenCache.ts';
import { LoadedGradients } from '../../../src/engine/gradient/loadedGradients.ts';
import { OpenDevices } from '../../../src/engine/runtime/openDevices.ts';
import { BlockSearchSession } from '../../../src/engine/search/blockSearchSession.ts';
import type { BlockComponents, BlockMask, ModelMask } from '../../../src/experiment/structureSchema.ts';
import { packBits, unpackBits } from '../../../src/experiment/components.ts';
import type { PlannedEvaluation } from '../../../src/experiment/planSchema.ts';
import { parsePrefix } from '../../../src/metric/parsePrefix.ts';
import { DEFAULT_LLM_SETTINGS } from '../../../src/search/llm/settings.ts';
import { type MaskSearchPlan } from '../../../src/search/masks/plan.ts';
import { unpackValues } from '../../../src/experiment/packedValues.ts';
import { type RateSearchPlan } from '../../../src/search/rates/plan.ts';
import { DEFAULT_SETTINGS } from '../../../src/experiment/settings.ts';
import { createEngine, type Engine } from '../../../src/engine/engine.ts';
import { FAMILIES, type FamilyName } from '../../support/generate/families.ts';
import { temporaryFamily, type TemporaryFamily } from '../../support/generate/temporaryFamily.ts';
import { loadOracle, type OracleModel } from '../../support/oracle/model.ts';
import { perplexity } from '../../support/oracle/perplexity.ts';
import { tokenize } from '../../support/oracle/tokenize.ts';
import type { ComponentsOpening, MeasureOutcome } from '../../../src/search/lifecycle/events.ts';
import type { PackedValues } from '../../../src/search/masks/events.ts';
import { DEFAULT_MASK_SEARCH_SETTINGS } from '../../../src/search/masks/settings.ts';
import { DEFAULT_SELF_PRUNER_SETTINGS } from '../../../src/search/rates/selfPruner/settings.ts';
import { measureMasks, measureMetrics, measureRates } from '../../support/measuring.ts';

const [BLOCKS, SAMPLES, TOKENS] = [4, 3, 12];
const half = { kind: 'unstructured', share: 0.5 } as const;

/** Grouped queries, biases everywhere, head norms, windows, norms after the sums. */
const FAMILY_NAMES: readonly FamilyName[] = ['llama-2 grouped queries', 'llama biases', 'qwen3', 'mistral', 'opt-350m'];

function maskPlan(files: TemporaryFamily, name: FamilyName): MaskSearchPlan {
  return {
    kind: 'masks',
    name: 'masks',
    model: files.folder,
    text: files.textFile,
    calibration: files.calibrationFile,
    sparsity: half,
    score: { kind: 'method', method: 'wanda-sp' },
    baselines: [],
    settings: {
      ...DEFAULT_SETTINGS,
      ...{
        device: 'cpu',
        threads: 1,
        samples: SAMPLES,
        blocks: BLOCKS,
        offsets: 'even',
        calibrate: 'one-shot',
        length: FAMILIES[name].length,
      },
    },
    search: DEFAULT_MASK_SEARCH_SETTINGS,
  };
}

function ratePlan(files: TemporaryFamily, name: FamilyName, target: RateSearchPlan['target']): RateSearchPlan {
  const { model, text, calibration, sparsity, settings } = maskPlan(files, name);
  return {
    ...{ kind: 'rates', name: 'rates', model, text, calibration, sparsity, target, baselines: [], settings },
    search: DEFAULT_SELF_PRUNER_SETTINGS,
    llm: DEFAULT_LLM_SETTINGS,
    prompts: { initialise: '', mutate: '', cross: '', again: '' },
  };
}

const wandaSp: RateSearchPlan['target'] = {
  kind: 'structure',
  name: 'wanda-sp',
  score: { kind: 'method', method: 'wanda-sp' },
};

describe.each(FAMILY_NAMES)('%s', (name) => {
  let files: TemporaryFamily;
  let engine: Engine;
  let opening: ComponentsOpening;
  beforeAll(async () => {
    files = await temporaryFamily(name);
    engine = createEngine();
    opening = await engine.open(maskPlan(files, name));
  });
  afterAll(async () => {
    await engine.dispose();
    await files.remove();
  });

  test('a mask’s loss on samples is that of the model without what it removes', async () => {
    const ids = tokenize(files.folder, files.calibration);
    expect(opening.calibrationTokens).toBe(ids.length);
    const masks = [everything(opening), someMask(opening, 1), without(1, someMask(opening, 2))];
    const offsets = [0, 5, ids.length - TOKENS];
    const outcomes = await measureMasks(engine, masks, { kind: 'samples', offsets, tokens: TOKENS });
    for (const [index, mask] of masks.entries()) {
      const expected = meanLoss(
        masked(files.folder, mask, opening.components),
        offsets.map((begin) => ids.slice(begin, begin + TOKENS)),
      );
      expect(lossOf(outcomes[index]!)).toBeCloseTo(expected, 4);
    }
  });

  test('everything kept is the dense model, block by block', async () => {
    for (let begin = 0; begin < BLOCKS; begin++) {
      const [outcome] = await measureMasks(engine, [everything(opening)], { kind: 'blocks', begin, end: begin + 1 });
      expect(lossOf(outcome!)).toBeCloseTo(opening.denseLosses[begin]!, 5);
    }
  });

  test('a mask has the perplexity of an evaluation of the same mask', async () => {
    const mask = someMask(opening, 4);
    const [outcome] = await measureMasks(engine, [mask], { kind: 'blocks', begin: 0, end: BLOCKS });
    const evaluation = { metric: 'mask', structure: { kind: 'mask', mask }, sparsity: half } as const;
    const [result] = await engine.evaluate({ ...maskPlan(files, name), evaluations: [evaluation] });
    expect(lossOf(outcome!)).toBeCloseTo(Math.log(result!.perplexity), 6);
  });

  test('a loss is the same alone and among others, to the last bit', async () => {
    const masks = [1, 2, 3].map((seed) => someMask(opening, seed));
    const on = { kind: 'samples', offsets: [3, 17], tokens: TOKENS } as const;
    const [alone] = await measureMasks(engine, [masks[2]!], on);
    const among = await measureMasks(engine, masks, on);
    expect(among[2]!.answer).toEqual(alone!.answer);
  });
});

describe('rates', () => {
  const name = 'llama-3.1';
  let files: TemporaryFamily;
  const engine = createEngine();
  beforeAll(async () => {
    files = await temporaryFamily(name);
    await writeFile(join(files.folder, 'short.txt'), 'too short');
  });
  afterAll(async () => {
    await engine.dispose();
    await files.remove();
  });

  test('are measured as the masks that they come to', async () => {
    const opening = await engine.open(ratePlan(files, name, wandaSp));
    expect(opening.owl).toHaveLength(3);
    expect(mean(opening.owl!)).toBeCloseTo(0.5, 6);
    expect(new Set(opening.owl).size).toBeGreaterThan(1);
    const packed = await engine.componentScores({ kind: 'method', method: 'wanda-sp' });
    const configurations = [[0, 0, 0], [0.5, 0.5, 0.5], [1, 0.25, 0.25], opening.owl!];
    const outcomes = await measureRates(engine, configurations, 0, BLOCKS);
    for (const [index, rates] of configurations.entries()) {
      const mask = lowestGone(opening.components, packed, rates);
      const [outcome] = await measureMasks(engine, [mask], { kind: 'blocks', begin: 0, end: BLOCKS });
      expect(outcomes[index]!.answer).toEqual(outcome!.answer);
    }
    expect(lossOf(outcomes[0]!)).toBeCloseTo(mean(opening.denseLosses), 5);
  });

  const metric = parsePrefix('mul(W, sqrt(X))');
  const TARGETS: readonly RateSearchPlan['target'][] = [
    wandaSp,
    { kind: 'structure', name: 'flap', score: { kind: 'method', method: 'flap' } },
    { kind: 'structure', name: 'taylor', score: { kind: 'method', method: 'taylor' } },
    { kind: 'structure', name: 'mine', score: { kind: 'metric', expression: parsePrefix('mul(W, G)') } },
    { kind: 'weights', metric: 'wanda', expression: metric },
    { kind: 'weights', metric: 'magnitude', expression: parsePrefix('W') },
    { kind: 'weights', metric: 'gradients', expression: parsePrefix('mul(W, G)') },
  ];

  test.each(TARGETS)('have the perplexity of an evaluation of the same rates: %j', async (target) => {
    const plan = ratePlan(files, name, target);
    await engine.open(plan);
    const configurations = [
      [0.2, 0.6, 0.7],
      [0.5, 0.5, 0.5],
    ];
    const first = await measureRates(engine, configurations, 0, BLOCKS);
    const evaluations = configurations.map((rates) => evaluationOf(target, rates));
    const results = await engine.evaluate({ ...plan, evaluations });
    for (const [index, { perplexity: expected }] of results.entries()) {
      expect(lossOf(first[index]!)).toBeCloseTo(Math.log(expected), 6);
    }
    // An evaluation between two questions changes nothing.
    const again = await measureRates(engine, configurations, 0, BLOCKS);
    expect(again.map(({ answer }) => answer)).toEqual(first.map(({ answer }) => answer));
  });

  test('of blocks have no meaning where whole blocks go', async () => {
    const score = { kind: 'method', method: 'shortgpt' } as const;
    await expect(
      engine.open(ratePlan(files, name, { kind: 'structure', name: 'shortgpt', score })),
    ).rejects.toMatchObject({ code: 'settings/invalid' });
  });

  test.each([
    ['too few', [0.5, 0.5]],
    ['above 1', [0.5, 0.5, 1.5]],
    ['not a number', [0.5, NaN, 0.5]],
  ])('that are %s are refused', async (_, rates) => {
    await engine.open(ratePlan(files, name, wandaSp));
    await expect(measureRates(engine, [rates], 0, 1)).rejects.toMatchObject({ code: 'settings/invalid' });
  });

  test.each<readonly [string, (files: TemporaryFamily) => Partial<RateSearchPlan>, string]>([
    [
      'baselines of another model',
      () => ({ baselines: [{ name: 'mine', rates: { kind: 'given', rates: [0.5] } }] }),
      'settings/invalid',
    ],
    ['a test text that is not there', () => ({ test: 'nowhere.txt' }), 'corpus/not-found'],
    ['a test text without enough blocks', ({ folder }) => ({ test: join(folder, 'short.txt') }), 'corpus/too-short'],
  ])('of a search with %s are not begun with', async (_, more, code) => {
    const plan = { ...ratePlan(files, name, wandaSp), ...more(files) };
    await expect(engine.open(plan)).rejects.toMatchObject({ code });
  });

  test('are not asked of a search for masks, nor anything of a search for metrics', async () => {
    await engine.open(maskPlan(files, name));
    await expect(measureRates(engine, [[0.5, 0.5, 0.5]], 0, 1)).rejects.toMatchObject({ code: 'engine/invariant' });
    await expect(engine.probe({ expressions: [] })).rejects.toMatchObject({ code: 'engine/invariant' });
    await expect(measureMetrics(engine, [metric], 0, 1)).rejects.toMatchObject({ code: 'engine/invariant' });
  });
});

describe('a search for masks', () => {
  const name = 'opt';
  let files: TemporaryFamily;
  const engine = createEngine();
  beforeAll(async () => {
    files = await temporaryFamily(name);
  });
  afterAll(async () => {
    await engine.dispose();
    await files.remove();
  });

  test.each(['heads-channels', 'heads-channels-layers', 'layers'] as const)('of %s has scores', async (components) => {
    const plan = maskPlan(files, name);
    const opening = await engine.open({ ...plan, search: { ...plan.search, components } });
    const { groups, channels, blocks } = await engine.componentScores({ kind: 'method', method: 'taylor' });
    const count = (of: 'groups' | 'channels'): number => opening.components.reduce((sum, block) => sum + block[of], 0);
    for (const values of [unpackValues(groups, count('groups')), unpackValues(channels, count('channels'))]) {
      expect(values!.every((value) => value >= 0)).toBe(true);
      expect(new Set(values).size).toBeGreaterThan(values!.length / 2);
    }
    expect(blocks === undefined ? 0 : unpackValues(blocks, 3)!.length).toBe(components === 'heads-channels' ? 0 : 3);
  });

  test.each([
    ['tokens behind the end', { kind: 'samples', offsets: [1e6], tokens: TOKENS }],
    ['no tokens', { kind: 'samples', offsets: [], tokens: TOKENS }],
    ['nothing to predict', { kind: 'samples', offsets: [0], tokens: 1 }],
    ['blocks that there are not', { kind: 'blocks', begin: 0, end: BLOCKS + 1 }],
    ['no blocks', { kind: 'blocks', begin: 1, end: 1 }],
  ] as const)('refuses %s', async (_, on) => {
    const opening = await engine.open(maskPlan(files, name));
    await expect(measureMasks(engine, [everything(opening)], on)).rejects.toMatchObject({ code: 'engine/invariant' });
  });

  test('refuses masks of other models', async () => {
    const opening = await engine.open(maskPlan(files, name));
    const mask = everything(opening).slice(1);
    await expect(measureMasks(engine, [mask], { kind: 'blocks', begin: 0, end: 1 })).rejects.toMatchObject({
      code: 'engine/invariant',
    });
  });

  test('a loss that is not finite is given back, beside those that are', async () => {
    const models = new LoadedModels({});
    const devices = new OpenDevices(() => undefined);
    const state = {
      devices,
      models,
      tokenCache: new TokenCache(),
      gradients: new LoadedGradients({}),
      dense: new Map(),
    };
    const session = await BlockSearchSession.open(maskPlan(files, name), {}, state);
    (await session.weights.block(1))['fc2']!.floats().fill(Infinity);
    const kept = everything(session.opening);
    const on = { kind: 'blocks', begin: 0, end: 2 } as const;
    const outcomes = await measureMasks(session, [kept, without(1, kept)], on);
    expect(outcomes[0]!.answer).toMatchObject({ kind: 'invalid', reason: 'not-finite' });
    expect(outcomes[1]!.answer).toMatchObject({ kind: 'loss', blocks: 2 });
    session.dispose();
    models.dispose();
    await devices.dispose();
  });
});

function evaluationOf(target: RateSearchPlan['target'], given: readonly number[]): PlannedEvaluation {
  const rates = { kind: 'given', rates: given } as const;
  if (target.kind === 'weights') return { ...target, sparsity: half, rates };
  const { name, score } = target;
  return { metric: name, sparsity: half, structure: { kind: 'scored', score, rates } };
}

function everything({ components }: ComponentsOpening): ModelMask {
  return components.map((block) => bitsOf(block, () => true));
}

/** Other components for each seed, about half of them. */
function someMask({ components }: ComponentsOpening, seed: number): ModelMask {
  return components.map((block, index) => bitsOf(block, (i) => ((i + 3 * index + seed) * 2654435761) % 7 > 3));
}

function without(dropped: number, mask: ModelMask): ModelMask {
  return mask.map((block, index) => (index === dropped ? { ...block, dropped: true } : block));
}

function bitsOf({ groups, channels }: BlockComponents, keep: (index: number) => boolean): BlockMask {
  const bits = (count: number): string => packBits(Array.from({ length: count }, (_, index) => keep(index)));
  return { groups: bits(groups), channels: bits(channels) };
}

/** The oracle with zeros in what reads the removed components, and without the blocks that are dropped. */
function masked(folder: string, mask: ModelMask, components: readonly BlockComponents[]): OracleModel {
  const model = loadOracle(folder);
  const { tensors } = model;
  for (const [index, { groups, channels }] of mask.entries()) {
    for (const [linear, bits] of [[model.attention.at(-1)!, groups] as const, [model.mlp.at(-1)!, channels] as const]) {
      const { groups: groupCount, channels: channelCount } = components[index]!;
      const kept = unpackBits(bits, bits === groups ? groupCount : channelCount);
      const name = model.weightName(index, linear);
      const { rows, columns, values } = tensors.get(name)!;
      const zeroed = values.map((value, i) => value * kept[Math.floor(((i % columns) * kept.length) / columns)]!);
      tensors.set(name, { rows, columns, values: zeroed });
    }
  }
  return {
    ...model,
    block: (index, hidden, observe) => (mask[index]!.dropped ? hidden : model.block(index, hidden, observe)),
  };
}

/** Wanda-sp's order of removal, written down again: groups first, halves rounded up, then channels. */
function lowestGone(components: readonly BlockComponents[], packed: PackedValues, rates: readonly number[]): ModelMask {
  const count = (of: 'groups' | 'channels'): number => components.reduce((sum, block) => sum + block[of], 0);
  const groupScores = unpackValues(packed.groups, count('groups'))!;
  const channelScores = unpackValues(packed.channels, count('channels'))!;
  const keep = (scores: Float32Array, gone: number): string => {
    const lowest = new Set([...scores.keys()].sort((a, b) => scores[a]! - scores[b]!).slice(0, gone));
    return packBits([...scores.keys()].map((index) => !lowest.has(index)));
  };
  let [group, channel] = [0, 0];
  return components.map(({ groups, channels, groupWeights, channelWeights }, index) => {
    const weights = groups * groupWeights + channels * channelWeights;
    const goneGroups = Math.round(rates[index]! * groups);
    const goneChannels = Math.round((rates[index]! * weights - goneGroups * groupWeights) / channelWeights);
    const bits = {
      groups: keep(groupScores.slice(group, group + groups), goneGroups),
      channels: keep(channelScores.slice(channel, channel + channels), Math.max(0, goneChannels)),
    };
    [group, channel] = [group + groups, channel + channels];
    return bits;
  });
}

function meanLoss(model: OracleModel, sequences: readonly (readonly number[])[]): number {
  return mean(sequences.map((ids) => Math.log(perplexity(model, ids, ids.length, 1))));
}

function lossOf({ answer: measure }: { readonly answer: MeasureOutcome }): number {
  if (measure.kind === 'loss') return measure.loss;
  throw new Error(`not finite: ${measure.detail}`);
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
