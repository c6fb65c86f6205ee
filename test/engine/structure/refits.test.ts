import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { openCheckpoint } from '../../../src/engine/checkpoint/checkpoint.ts';
import { createEngine, type Engine } from '../../../src/engine/engine.ts';
import type { RefittedLayer } from '../../../src/engine/structure/refitter.ts';
import { refitsOf } from '../../../src/engine/structure/refits.ts';
import { familyOf } from '../../../src/engine/families/families.ts';
import { packBits } from '../../../src/experiment/components.ts';
import type {
  TextPlan,
  PlannedEvaluation,
  StructureEvaluation,
  WeightEvaluation,
} from '../../../src/experiment/planSchema.ts';
import type { EvaluationProgress, PerplexityResult } from '../../../src/experiment/resultSchema.ts';
import { warningsOf } from '../../../src/experiment/resultWarnings.ts';
import { DEFAULT_SETTINGS, type EvaluationSettings } from '../../../src/experiment/settings.ts';
import { UNIFORM } from '../../../src/experiment/structure.ts';
import type { Preflight } from '../../../src/experiment/preflightSchema.ts';
import type { StructureMethod } from '../../../src/experiment/structure.ts';
import type { BlockMask, Structure } from '../../../src/experiment/structureSchema.ts';
import { failureOf } from '../../support/expectCoded.ts';
import type { FamilyName } from '../../support/generate/families.ts';
import { raw32, rewriteWeights, valuesOf } from '../../support/generate/rewriteWeights.ts';
import { fromPrefix } from '../../support/oracle/prefix.ts';
import { temporaryFamily, type TemporaryFamily } from '../../support/generate/temporaryFamily.ts';

// What is refitted and what is not, what evaluations share, what they say, and inputs of which H is no good.

/** What the engine is told to be free; undefined leaves it what it is. */
const pretended = vi.hoisted((): { memory?: number | undefined } => ({}));
vi.mock(import('../../../src/engine/runtime/memory.ts'), async (original) => {
  const memory = await original();
  return { ...memory, availableMemory: () => pretended.memory ?? memory.availableMemory() };
});

const GROUPS = 2;
const CHANNELS = 56;
const half = { kind: 'unstructured', share: 0.5 } as const;
const RECONSTRUCT = { method: 'reconstruct', damping: 0.01 } as const;

let engine: Engine;
const families = new Map<FamilyName, TemporaryFamily>();
beforeAll(() => (engine = createEngine()));
afterAll(async () => {
  await engine.dispose();
  for (const family of families.values()) await family.remove();
});

const bits = (count: number, isKept: (index: number) => boolean): string =>
  packBits(Array.from({ length: count }, (_, i) => Number(isKept(i))));
const ALL: BlockMask = { groups: bits(GROUPS, () => true), channels: bits(CHANNELS, () => true) };
const NONE: BlockMask = { groups: bits(GROUPS, () => false), channels: bits(CHANNELS, () => false) };
const SOME: BlockMask = { groups: bits(GROUPS, (i) => i > 0), channels: bits(CHANNELS, (i) => i % 3 > 0) };

test.each<[string, BlockMask, readonly string[]]>([
  ['all stays', ALL, []],
  ['nothing stays', NONE, []],
  ['the block is dropped', { ...SOME, dropped: true }, []],
  ['some heads go', { ...ALL, groups: SOME.groups }, ['self_attn.o_proj']],
  ['some channels go, and all heads', { ...NONE, channels: SOME.channels }, ['mlp.down_proj']],
  ['some of both go', SOME, ['self_attn.o_proj', 'mlp.down_proj']],
])('%s: what is refitted', async (_, mask, names) => {
  const { folder } = await familyNamed('llama-2 grouped queries');
  const { config, close } = await openCheckpoint(folder).then((checkpoint) => ({
    config: checkpoint.config,
    close: () => {
      checkpoint.close();
    },
  }));
  close();
  const refits = refitsOf(familyOf(config).block(config, 1), mask);
  expect(refits.map(({ layer }) => layer.name)).toEqual(names);
  for (const { layer, kept } of refits) expect(kept.length).toBe(layer.shape[1]);
});

describe('where there is nothing to refit, that is said', () => {
  test.each<[string, FamilyName, Structure]>([
    ['all stays', 'llama-2 grouped queries', masked([ALL, ALL, ALL])],
    ['whole blocks alone go', 'llama-2 grouped queries', byMethod('shortgpt')],
    ['experts go', 'mixtral', byMethod('reap')],
  ])('%s', async (_, name, structure) => {
    const [plain, refitted] = await evaluate(name, [evaluation(structure, false), evaluation(structure)]);
    expect(refitted!.perplexity).toBe(plain!.perplexity);
    expect(refitted!.update).toEqual({ update: RECONSTRUCT, layers: 0 });
    expect(plain!.update).toBeUndefined();
    expect(warningsOf(refitted!).join()).toContain('nothing was refitted');
    expect(warningsOf(plain!).join()).not.toContain('refitted');
  });
});

test('dropped blocks, blocks without anything and others in one mask', async () => {
  const masks = [
    [{ ...SOME, dropped: true as const }, SOME, NONE],
    [SOME, { ...ALL, dropped: true as const }, SOME],
    [NONE, SOME, { ...ALL, dropped: true as const }],
  ];
  const results = await evaluate('llama-2 grouped queries', [
    ...masks.map((mask) => evaluation(masked(mask))),
    ...masks.map((mask) => evaluation(masked(mask), false)),
  ]);
  expect(results.slice(0, 3).map(({ update }) => update!.layers)).toEqual([2, 4, 2]);
  for (const [index, { perplexity }] of results.slice(0, 3).entries())
    expect(perplexity).not.toBe(results[3 + index]!.perplexity);
});

describe('evaluations of one sweep', () => {
  const together = [
    ...(['wanda-sp', 'flap', 'shortgpt'] as const).map((method) => evaluation(byMethod(method))),
    evaluation(masked([SOME, ALL, SOME])),
    evaluation(byMethod('wanda-sp'), false),
  ];
  let results: readonly PerplexityResult[];
  let steps: readonly EvaluationProgress[];
  let foretold: Preflight;
  beforeAll(async () => {
    const seen: EvaluationProgress[] = [];
    const fresh = createEngine();
    const plan = await planOf('llama biases', together);
    foretold = await fresh.preflight(plan);
    results = await fresh.evaluate(plan, { onProgress: (each) => seen.push(each) });
    await fresh.dispose();
    steps = seen.filter(({ total }) => total > 0);
  });

  test('are those that each gives alone, and where nothing fits into memory', async () => {
    const alone: number[] = [];
    for (const each of together) alone.push((await evaluate('llama biases', [each]))[0]!.perplexity);
    expect(alone).toEqual(results.map(({ perplexity }) => perplexity));
    pretended.memory = 1000;
    const crowded = createEngine();
    const again = await crowded.evaluate(await planOf('llama biases', together));
    pretended.memory = undefined;
    await crowded.dispose();
    expect(again.map(({ perplexity }) => perplexity)).toEqual(alone);
  });

  test('leave H alone that others share', async () => {
    const weights = (['admm', 'sparsegpt'] as const).map((method): WeightEvaluation => {
      const update =
        method === 'admm' ? { method, iterations: 5, damping: 0.1 } : { method, damping: 0.01, columns: 8 };
      return { metric: 'wanda', expression: fromPrefix('mul(W, sqrt(X))'), sparsity: half, update };
    });
    const mixed = [weights[0]!, together[0]!, weights[1]!, weights[0]!];
    const found = await evaluate('llama biases', mixed, { calibrate: 'one-shot' });
    const alone: number[] = [];
    for (const each of mixed)
      alone.push((await evaluate('llama biases', [each], { calibrate: 'one-shot' }))[0]!.perplexity);
    expect(found.map(({ perplexity }) => perplexity)).toEqual(alone);
  });

  test('take the steps, and the room, that were foretold', () => {
    const total = foretold.steps;
    expect(steps.length).toBe(total);
    expect(steps.at(-1)).toMatchObject({ done: total, total });
    expect(steps.map(({ detail }) => detail)).toContain('refitting, block 3 of 3');
    expect(foretold.costs.map(({ name }) => name)).toContain('H and its factors');
  });

  test('do not depend on how metrics are calibrated', async () => {
    const [oneShot] = await evaluate('llama biases', [together[0]!], { calibrate: 'one-shot' });
    expect(oneShot).toMatchObject({ perplexity: results[0]!.perplexity, fingerprint: results[0]!.fingerprint });
  });

  test('have fingerprints of what decides them', async () => {
    const of = async (each: StructureEvaluation, settings: Partial<EvaluationSettings> = {}): Promise<string> =>
      (await evaluate('llama biases', [each], settings))[0]!.fingerprint;
    const mask = together[3]!;
    const found = [
      ...results.map(({ fingerprint }) => fingerprint),
      await of({ ...mask, update: { ...RECONSTRUCT, damping: 0.02 } }),
      await of(evaluation(mask.structure, false)),
      // A mask alone asks for no samples; what is refitted does.
      await of(mask, { samples: 3 }),
    ];
    expect(new Set(found).size).toBe(found.length);
    expect(await of(evaluation(mask.structure, false), { samples: 3 })).toBe(found.at(-2));
  });

  test('end when they are cancelled in the middle of a block', async () => {
    const stop = new AbortController();
    const plan = await planOf('llama biases', together);
    const failure = await failureOf(() =>
      engine.evaluate(plan, {
        signal: stop.signal,
        onProgress: ({ detail }) => {
          if (detail === 'refitting, block 2 of 3') stop.abort();
        },
      }),
    );
    expect(failure.code).toBe('cancelled');
    expect((await engine.evaluate(plan))[0]!.perplexity).toBe(results[0]!.perplexity);
  });
});

describe('inputs of which H is no good', () => {
  const cases = [
    { what: 'channels twice', change: (_: number, channel: number) => channel % 28 },
    { what: 'channels that are silent', change: (_: number, channel: number) => (channel % 2 ? channel : -1) },
    { what: 'an MLP that is silent', change: () => -1 },
    { what: 'heads and channels all alike', change: () => 0 },
  ];
  const ways = [
    { damping: 0.01, samples: 2, length: 16 },
    { damping: 0, samples: 1, length: 2 },
    { damping: 1e-9, samples: 1, length: 16 },
    { damping: 1000, samples: 2, length: 16 },
  ];

  test.each(cases)('$what: finite, and the columns that go are zero', async ({ change }) => {
    const family = await temporaryFamily('llama linear');
    rewriteWeights(family.folder, (tensors) => {
      for (const [name, tensor] of tensors) {
        if (!/gate_proj|up_proj|v_proj/.test(name)) continue;
        const values = valuesOf(tensor);
        const [rows, columns] = tensor.shape as [number, number];
        const changed = Float32Array.from(values, (_, at) => {
          const from = change(rows, Math.floor(at / columns));
          return from < 0 ? 0 : values[(from % rows) * columns + (at % columns)]!;
        });
        tensors.set(name, raw32(tensor.shape, changed));
      }
    });
    for (const { damping, samples, length } of ways) {
      const layers: RefittedLayer[] = [];
      const [result] = await engine.evaluate(
        {
          ...{ model: family.folder, text: family.textFile, calibration: family.calibrationFile },
          evaluations: [{ ...evaluation(byMethod('magnitude')), update: { method: 'reconstruct', damping } }],
          settings: { ...SETTINGS, samples, calibrationLength: length },
        },
        { onRefitted: ({ tensor, weight }) => layers.push({ tensor, weight: weight.slice() }) },
      );
      expect(Number.isFinite(result!.perplexity)).toBe(true);
      const { update } = result!;
      expect(update!.layers).toBe(layers.length);
      expect(layers.length).toBeGreaterThan(0);
      // Without damping such H have no inverse: more was taken, and that is said.
      if (damping === 0) {
        expect(update!.damped!.damping).toBeGreaterThan(0);
        expect(warningsOf(result!).join()).toContain('could not be inverted with a damping of 0');
      }
      for (const { weight } of layers) {
        expect(weight.every((value) => Number.isFinite(value))).toBe(true);
        expect(weight.some((value) => value === 0)).toBe(true);
      }
    }
    await family.remove();
  });
});

const SETTINGS: EvaluationSettings = {
  ...DEFAULT_SETTINGS,
  ...{ device: 'cpu', threads: 1, length: 16, samples: 2, blocks: 1, offsets: 'even' },
};

async function familyNamed(name: FamilyName): Promise<TemporaryFamily> {
  const family = families.get(name) ?? (await temporaryFamily(name));
  families.set(name, family);
  return family;
}

async function planOf(
  name: FamilyName,
  evaluations: readonly PlannedEvaluation[],
  settings: Partial<EvaluationSettings> = {},
): Promise<TextPlan> {
  const { folder: model, textFile: text, calibrationFile: calibration } = await familyNamed(name);
  return { model, text, calibration, evaluations, settings: { ...SETTINGS, ...settings } };
}

async function evaluate(
  name: FamilyName,
  evaluations: readonly PlannedEvaluation[],
  settings: Partial<EvaluationSettings> = {},
): Promise<readonly PerplexityResult[]> {
  return engine.evaluate(await planOf(name, evaluations, settings));
}

function byMethod(method: StructureMethod): Structure {
  return { kind: 'scored', score: { kind: 'method', method }, rates: UNIFORM };
}

function masked(mask: readonly BlockMask[]): Structure {
  return { kind: 'mask', mask };
}

function evaluation(structure: Structure, updated = true): StructureEvaluation {
  const name =
    structure.kind === 'mask' ? 'found' : structure.score.kind === 'method' ? structure.score.method : 'metric';
  const sparsity = { kind: 'unstructured', share: 0.4 } as const;
  return { metric: name, structure, sparsity, ...(updated && { update: RECONSTRUCT }) };
}
