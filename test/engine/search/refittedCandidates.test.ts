import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { createEngine, type Engine } from '../../../src/engine/engine.ts';
import { packBits, unpackBits } from '../../../src/experiment/components.ts';
import type { Sequences } from '../../../src/experiment/measuringSchema.ts';
import { defaultsOf } from '../../../src/experiment/settingRow.ts';
import { DEFAULT_SETTINGS } from '../../../src/experiment/settings.ts';
import type { BlockComponents, ModelMask } from '../../../src/experiment/structureSchema.ts';
import type { WeightUpdate } from '../../../src/experiment/updates.ts';
import { parsePrefix } from '../../../src/metric/parsePrefix.ts';
import { DEFAULT_LLM_SETTINGS } from '../../../src/search/llm/settings.ts';
import type { ComponentsOpening, MeasureOutcome } from '../../../src/search/lifecycle/events.ts';
import type { MaskSearchPlan } from '../../../src/search/masks/plan.ts';
import { DEFAULT_MASK_SEARCH_SETTINGS } from '../../../src/search/masks/settings.ts';
import { EVOPRESS_SETTINGS } from '../../../src/search/rates/evopress/settings.ts';
import type { RateSearchPlan } from '../../../src/search/rates/plan.ts';
import { DEFAULT_SELF_PRUNER_SETTINGS } from '../../../src/search/rates/selfPruner/settings.ts';
import { FAMILIES, type FamilyName } from '../../support/generate/families.ts';
import { temporaryFamily, type TemporaryFamily } from '../../support/generate/temporaryFamily.ts';
import { measureMasks, measureRates } from '../../support/measuring.ts';
import { readOracleConfig } from '../../support/oracle/config.ts';
import { loadOracle, oracleModel, type OracleModel } from '../../support/oracle/model.ts';
import { perplexity } from '../../support/oracle/perplexity.ts';
import { evenSamples } from '../../support/oracle/prune.ts';
import { reconstructed } from '../../support/oracle/reconstruct.ts';
import { withParts } from '../../support/oracle/structure.ts';
import { tokenize } from '../../support/oracle/tokenize.ts';

// Candidates of searches for structures under an update: what they lose against loops in float64, what they share, and what is kept of them.

/** What the engine is told to be free; undefined leaves it what it is. And how often it solved least squares, or updated a layer by ADMM. */
const watched = vi.hoisted((): { memory?: number | undefined; solved: number } => ({ solved: 0 }));
vi.mock(import('../../../src/engine/runtime/memory.ts'), async (original) => {
  const memory = await original();
  return { ...memory, availableMemory: () => watched.memory ?? memory.availableMemory() };
});
vi.mock(import('../../../src/engine/update/leastSquares.ts'), async (original) => {
  const { leastSquares } = await original();
  return { leastSquares: (...asked) => (watched.solved++, leastSquares(...asked)) };
});
vi.mock(import('../../../src/engine/update/admm.ts'), async (original) => {
  const { openAdmm } = await original();
  return {
    openAdmm: async (...asked) => {
      const solver = await openAdmm(...asked);
      return { ...solver, update: (...weights) => (watched.solved++, solver.update(...weights)) };
    },
  };
});

const [BLOCKS, SAMPLES, TOKENS, DAMPING] = [3, 3, 12, 0.02];
const RECONSTRUCT = { method: 'reconstruct', damping: DAMPING } as const;
const ADMM: WeightUpdate = { method: 'admm', iterations: 10, damping: 0.1 };
const half = { kind: 'unstructured', share: 0.5 } as const;
const ON_BLOCKS: Sequences = { kind: 'blocks', begin: 0, end: BLOCKS };
/** Less than one H takes. */
const CROWDED = 2000;

let engine: Engine;
const files = new Map<FamilyName, TemporaryFamily>();
beforeAll(() => (engine = createEngine()));
beforeEach(() => {
  watched.memory = undefined;
  watched.solved = 0;
});
afterAll(async () => {
  await engine.dispose();
  for (const family of files.values()) await family.remove();
});

describe.each<FamilyName>(['llama biases', 'llama-2 grouped queries', 'opt-350m', 'gpt-neox'])(
  'masks of %s',
  (name) => {
    test('lose what one-shot refits in float64 do, on blocks and on samples of another length', async () => {
      const { folder, text, calibration } = await familyNamed(name);
      const { components } = await engine.open(await maskPlan(name));
      const masks = [1, 2].map((seed) => someMask(components, seed));
      const ids = tokenize(folder, calibration);
      const offsets = [0, 7, ids.length - TOKENS];
      const onBlocks = await measureMasks(engine, masks, ON_BLOCKS);
      const onSamples = await measureMasks(engine, masks, { kind: 'samples', offsets, tokens: TOKENS });
      const { length } = FAMILIES[name];
      const rebuild = (tensors: OracleModel['tensors']): OracleModel => oracleModel(readOracleConfig(folder), tensors);
      for (const [index, mask] of masks.entries()) {
        const kept = mask.map(({ groups, channels }, block) => ({
          groups: [...unpackBits(groups, components[block]!.groups)],
          channels: [...unpackBits(channels, components[block]!.channels)],
        }));
        const model = loadOracle(folder);
        const refit = (calibrate: 'one-shot' | 'sequential'): OracleModel =>
          reconstructed(model, rebuild, kept, evenSamples(ids, SAMPLES, length), DAMPING, calibrate);
        const lossOfText = (of: OracleModel): number =>
          Math.log(perplexity(of, tokenize(folder, text), length, BLOCKS));
        const left = refit('one-shot');
        expect(Math.abs(lossOf(onBlocks[index]!) - lossOfText(left))).toBeLessThan(5e-5);
        const sampled = offsets.map((begin) => Math.log(perplexity(left, ids.slice(begin, begin + TOKENS), TOKENS, 1)));
        expect(Math.abs(lossOf(onSamples[index]!) - sampled.reduce((a, b) => a + b) / offsets.length)).toBeLessThan(
          5e-5,
        );
        // The comparison means something only where these differ.
        for (const other of [refit('sequential'), withParts(model, rebuild, kept)])
          expect(Math.abs(lossOfText(other) - lossOfText(left))).toBeGreaterThan(2e-4);
      }
    });
  },
);

describe('a mask that is refitted has the same loss, to the last bit,', () => {
  const name = 'llama biases';
  let masks: readonly ModelMask[];
  let losses: readonly number[];
  beforeAll(async () => {
    const { components } = await engine.open(await maskPlan(name));
    masks = [1, 2, 3, 4].map((seed) => someMask(components, seed));
    masks = [...masks, masks[0]!.map((block, index) => (index === 1 ? { ...block, dropped: true as const } : block))];
    losses = (await measureMasks(engine, masks, ON_BLOCKS)).map(lossOf);
    expect(new Set(losses).size).toBe(masks.length);
  });

  test('alone, of each of three workers, and after a cut', async () => {
    const workers = [createEngine(), createEngine(), createEngine()];
    for (const worker of workers) await worker.open(await maskPlan(name));
    for (const [index, mask] of masks.entries()) {
      const [alone] = await measureMasks(workers[index % 3]!, [mask], ON_BLOCKS);
      expect(lossOf(alone!)).toBe(losses[index]);
    }
    for (const worker of workers) await worker.dispose();
    await engine.open(await maskPlan(name));
    const rest = await measureMasks(engine, masks.slice(2), ON_BLOCKS);
    expect(rest.map(lossOf)).toEqual(losses.slice(2));
  });

  test('where H has no room, and is found once for all of a measuring', async () => {
    watched.memory = CROWDED;
    await engine.open(await maskPlan(name));
    for (const asked of [masks, masks.slice(0, 1), masks])
      expect((await measureMasks(engine, asked, ON_BLOCKS)).map(lossOf)).toEqual(losses.slice(0, asked.length));
  });

  test('after another measuring was cut', async () => {
    await engine.open(await maskPlan(name));
    const stop = new AbortController();
    stop.abort();
    await expect(
      engine.measure({ candidates: [{ kind: 'mask', mask: masks[0]! }], on: ON_BLOCKS }, { signal: stop.signal }),
    ).rejects.toMatchObject({ code: 'cancelled' });
    expect((await measureMasks(engine, masks, ON_BLOCKS)).map(lossOf)).toEqual(losses);
  });
});

/** Blocks share levels: each has 0.4 or 0.6 in several of them. */
const RATES = [
  [0.4, 0.6, 0.5],
  [0.6, 0.4, 0.5],
  [0.4, 0.4, 0.5],
  [0.6, 0.6, 0.5],
];

describe.each<readonly [string, Partial<RateSearchPlan>, one: number, all: number]>([
  // Of five levels each refits the MLP's output projection; 40 and 60 % of two groups are the same one.
  ['components', { update: RECONSTRUCT }, 6, 8],
  // Seven linear layers in a block of LLaMA.
  ['single weights', { update: ADMM, ...evoPress() }, 21, 35],
])('rates of %s that are updated', (_, more, one, all) => {
  const name = 'llama-3.1';
  const plan = async (): Promise<RateSearchPlan> => ({ ...(await ratePlan(name)), ...more });
  let losses: readonly number[];
  beforeAll(async () => {
    await engine.open(await plan());
    losses = (await measureRates(engine, RATES, 0, BLOCKS)).map(lossOf);
    expect(new Set(losses).size).toBe(RATES.length);
  });

  test('share what is made of a level of a block: it is made once', async () => {
    await engine.open(await plan());
    watched.solved = 0;
    expect((await measureRates(engine, RATES.slice(0, 1), 0, 1)).length).toBe(1);
    expect(watched.solved).toBe(one);
    expect((await measureRates(engine, RATES, 0, BLOCKS)).map(lossOf)).toEqual(losses);
    expect(watched.solved).toBe(all);
    expect((await measureRates(engine, [...RATES].reverse(), 0, BLOCKS)).map(lossOf)).toEqual([...losses].reverse());
    expect(watched.solved).toBe(all);
  });

  test('are the same, to the last bit, where nothing can be kept', async () => {
    watched.memory = CROWDED;
    await engine.open(await plan());
    watched.solved = 0;
    for (const rates of RATES)
      expect((await measureRates(engine, [rates], 0, BLOCKS)).map(lossOf)).toEqual([losses[RATES.indexOf(rates)]]);
    expect(watched.solved).toBe(one * RATES.length);
  });

  test('have openings that tell updates apart', async () => {
    const without = Object.fromEntries(
      Object.entries(await plan()).filter(([key]) => key !== 'update'),
    ) as RateSearchPlan;
    const { update } = more;
    const others = [await plan(), without, { ...without, update: { ...update!, damping: 0.7 } }];
    const fingerprints = new Set<string>();
    for (const other of others) fingerprints.add((await engine.open(other)).fingerprint);
    expect(fingerprints.size).toBe(3);
  });
});

test('of whole layers that go nothing is refitted, nor calibrated for that', async () => {
  const { components } = await engine.open({
    ...(await ratePlan('llama-3.1')),
    ...evoPress('sublayers'),
    update: RECONSTRUCT,
  });
  const all = (count: number): string => packBits(Array<number>(count).fill(1));
  const mask = components.map(({ groups, channels }, index) => ({
    groups: index === 1 ? packBits(Array<number>(groups).fill(0)) : all(groups),
    channels: all(channels),
  }));
  const [measured] = await measureMasks(engine, [mask], ON_BLOCKS);
  const evaluation = {
    metric: 'mask',
    structure: { kind: 'mask', mask },
    sparsity: half,
    update: RECONSTRUCT,
  } as const;
  const [result] = await engine.evaluate({ ...(await maskPlan('llama-3.1')), evaluations: [evaluation] });
  expect(Math.exp(lossOf(measured!))).toBeCloseTo(result!.perplexity, 8);
  expect(watched.solved).toBe(0);
});

async function familyNamed(name: FamilyName): Promise<TemporaryFamily> {
  const family = files.get(name) ?? (await temporaryFamily(name));
  files.set(name, family);
  return family;
}

async function maskPlan(name: FamilyName): Promise<MaskSearchPlan & { readonly calibration: string }> {
  const { folder: model, textFile: text, calibrationFile: calibration } = await familyNamed(name);
  return {
    ...{ kind: 'masks', name: 'masks', model, text, calibration, sparsity: half, baselines: [], update: RECONSTRUCT },
    score: { kind: 'method', method: 'wanda-sp' },
    settings: {
      ...{ ...DEFAULT_SETTINGS, device: 'cpu', threads: 1, samples: SAMPLES, blocks: BLOCKS },
      ...{ offsets: 'even', calibrate: 'sequential', length: FAMILIES[name].length },
    },
    search: DEFAULT_MASK_SEARCH_SETTINGS,
  };
}

async function ratePlan(name: FamilyName): Promise<RateSearchPlan> {
  const { model, text, calibration, sparsity, settings } = await maskPlan(name);
  return {
    ...{ kind: 'rates', name: 'rates', model, text, calibration, sparsity, baselines: [], settings },
    target: { kind: 'structure', name: 'wanda-sp', score: { kind: 'method', method: 'wanda-sp' } },
    search: DEFAULT_SELF_PRUNER_SETTINGS,
    llm: DEFAULT_LLM_SETTINGS,
    prompts: { initialise: '', mutate: '', cross: '', again: '' },
  };
}

function evoPress(drop: 'off' | 'sublayers' = 'off'): Partial<RateSearchPlan> {
  const search = {
    ...defaultsOf(EVOPRESS_SETTINGS),
    ...{ offspring: 2, generations: 1, rounds: [1], survivors: [1], switches: 1, drop, step: 0.05, starts: 1 },
    ...{ seed: 0, finalists: 1, workers: 1, objective: 'perplexity' as const },
  };
  const expression = parsePrefix('mul(W, sqrt(X))');
  return drop === 'off' ? { search, target: { kind: 'weights', metric: 'wanda', expression } } : { search };
}

/** Other components for each seed, about half of them, and some of each. */
function someMask(components: ComponentsOpening['components'], seed: number): ModelMask {
  const bits = (count: number, index: number): string =>
    packBits(Array.from({ length: count }, (_, i) => Number(i === 0 || ((i + 3 * index + seed) * 2654435761) % 7 > 3)));
  return components.map(({ groups, channels }: BlockComponents, index) => ({
    groups: bits(groups, index),
    channels: bits(channels, index),
  }));
}

function lossOf({ answer }: { readonly answer: MeasureOutcome }): number {
  if (answer.kind === 'loss') return answer.loss;
  throw new Error(answer.detail);
}
