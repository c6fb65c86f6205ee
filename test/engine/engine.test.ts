import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { EspalierError } from '../../src/base/errors.ts';
import { createEngine, type Engine, listDevices } from '../../src/engine/engine.ts';
import type { TextPlan } from '../../src/experiment/planSchema.ts';
import type { EvaluationProgress } from '../../src/experiment/resultSchema.ts';
import { DEFAULT_SETTINGS, type EvaluationSettings } from '../../src/experiment/settings.ts';
import { FAMILIES } from '../support/generate/families.ts';
import { temporaryFamily, type TemporaryFamily } from '../support/generate/temporaryFamily.ts';
import { fromPrefix } from '../support/oracle/prefix.ts';

let files: TemporaryFamily;
let engine: Engine;

beforeAll(async () => {
  files = await temporaryFamily('llama-3.1');
  engine = createEngine();
});

afterAll(async () => {
  await engine.dispose();
  await files.remove();
});

const half = { kind: 'unstructured', share: 0.5 } as const;
const wanda = { metric: 'wanda', expression: fromPrefix('mul(W, sqrt(X))'), sparsity: half };
const constant = { metric: 'constant', expression: fromPrefix('sub(W, W)'), sparsity: half };
const infinite = { metric: 'infinite', expression: fromPrefix('exp(exp(add(exp(X), 9)))'), sparsity: half };
const missing = { metric: 'missing', expression: fromPrefix('quotient(W, sub(W, W))'), sparsity: half };

function plan(
  evaluations: TextPlan['evaluations'],
  settings: Partial<EvaluationSettings> = {},
  rest: Partial<TextPlan> = {},
): TextPlan {
  const { length } = FAMILIES['llama-3.1'];
  return {
    model: files.folder,
    text: files.textFile,
    calibration: files.calibrationFile,
    evaluations,
    settings: { ...DEFAULT_SETTINGS, device: 'cpu', samples: 3, blocks: 4, offsets: 'even', length, ...settings },
    ...rest,
  };
}

describe('a metric that cannot rank', () => {
  test.each([
    [constant, 'the same score 0 everywhere'],
    [infinite, 'that are infinite or not a number'],
    [missing, 'that are infinite or not a number'],
  ])('$metric is invalid, and the error names the layer', async (evaluation, actual) => {
    const error = await failure(engine.evaluate(plan([evaluation])));
    expect(error.data).toMatchObject({
      code: 'metric/invalid-score',
      actual: expect.stringContaining(actual) as string,
    });
    expect(error.message).toContain('model.layers.0.self_attn.q_proj.weight');
  });

  test('fails alone: the others of its plan have their results', async () => {
    const failures: [string, number][] = [];
    const results = await engine.evaluate(plan([constant, wanda, missing]), {
      onFailure: ({ code }, index) => failures.push([code, index]),
    });
    expect(results.map(({ metric }) => metric)).toEqual(['wanda']);
    expect(failures).toEqual([
      ['metric/invalid-score', 0],
      ['metric/invalid-score', 2],
    ]);
  });

  test('rejects the plan where nobody listens for failures', async () => {
    expect((await failure(engine.evaluate(plan([wanda, constant])))).code).toBe('metric/invalid-score');
  });
});

describe('what cannot be evaluated says so', () => {
  test.each<[string, () => TextPlan, string, string]>([
    [
      'G without calibration',
      () => withoutCalibration(plan([{ ...wanda, expression: fromPrefix('mul(W, G)') }])),
      'settings/invalid',
      '--calibration',
    ],
    ['no calibration', () => withoutCalibration(plan([wanda])), 'settings/invalid', '--calibration'],
    ['too many blocks', () => plan([], { blocks: 100_000 }), 'corpus/too-short', 'longer text'],
    ['too many samples', () => plan([wanda], { samples: 60_000 }), 'corpus/too-short', 'longer text'],
    [
      'N:M that does not divide',
      () => plan([{ ...wanda, sparsity: { kind: 'n:m', keep: 3, of: 7 } }]),
      'settings/invalid',
      'N:M',
    ],
    ['float16 on the CPU', () => plan([], { precision: 'float16' }), 'settings/invalid', 'float32'],
    ['a device that is not here', () => plan([], { device: 'coreml' }), 'device/unavailable', 'espalier devices'],
    ['no checkpoint', () => plan([], {}, { model: `${files.folder}/no` }), 'checkpoint/not-found', ''],
    ['no text', () => plan([], {}, { text: `${files.folder}/no.txt` }), 'corpus/not-found', ''],
  ])('%s', async (_, build, code, remedy) => {
    const error = await failure(engine.evaluate(build()));
    expect(error.data).toMatchObject({ code, remedy: expect.stringContaining(remedy) as string });
    // What failed leaves an engine that works.
    expect(await engine.evaluate(plan([]))).toHaveLength(1);
  });

  test('ids that the embedding has no row for: another model’s tokenizer', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'espalier-tokenizer-'));
    try {
      await cp(files.folder, folder, { recursive: true });
      const tokenizer = JSON.parse(await readFile(path.join(folder, 'tokenizer.json'), 'utf8')) as {
        model: { vocab: Record<string, number> };
      };
      for (const token of Object.keys(tokenizer.model.vocab)) tokenizer.model.vocab[token]! += 1000;
      await writeFile(path.join(folder, 'tokenizer.json'), JSON.stringify(tokenizer));
      expect((await failure(engine.evaluate(plan([], {}, { model: folder })))).code).toBe('checkpoint/tokenizer');
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

describe('results', () => {
  test('the dense model alone is one result', async () => {
    const [dense, ...rest] = await engine.evaluate(plan([]));
    expect(rest).toEqual([]);
    expect(dense).toMatchObject({ metric: 'dense', expression: 'dense', actualSparsity: 0 });
    expect(dense!.perplexity).toBe(dense!.densePerplexity);
    expect(dense!.sparsity).toBeUndefined();
    expect(dense!.provenance.calibration).toBeUndefined();
  });

  test('the same plan gives the same numbers and fingerprints, in this engine and in a new one', async () => {
    const other = createEngine();
    try {
      const runs = [
        await engine.evaluate(plan([wanda])),
        await engine.evaluate(plan([wanda])),
        await other.evaluate(plan([wanda])),
      ];
      const [first, ...again] = runs.map(([result]) => [result!.perplexity, result!.fingerprint]);
      for (const run of again) expect(run).toEqual(first);
    } finally {
      await other.dispose();
    }
  });

  test.each<[string, boolean, TextPlan['evaluations'][number], Partial<EvaluationSettings>]>([
    ['a name', true, { ...wanda, metric: 'another name' }, {}],
    ['the seed of even offsets', true, wanda, { seed: 9 }],
    ['the number of threads', true, wanda, { threads: 1 }],
    ['the expression', false, { ...wanda, expression: fromPrefix('mul(W, X)') }, {}],
    ['the sparsity', false, { ...wanda, sparsity: { kind: 'unstructured', share: 0.4 } }, {}],
    ['the group', false, wanda, { group: 'layer' }],
    ['the calibration', false, wanda, { calibrate: 'one-shot' }],
    ['the samples', false, wanda, { samples: 2 }],
    ['the blocks', false, wanda, { blocks: 3 }],
  ])('%s: same fingerprint %s', async (_, same, evaluation, settings) => {
    const [before] = await engine.evaluate(plan([wanda]));
    const [after] = await engine.evaluate(plan([evaluation], settings));
    expect(after!.fingerprint === before!.fingerprint).toBe(same);
  });

  test('random offsets follow the seed', async () => {
    const at = async (seed: number): Promise<number> =>
      (await engine.evaluate(plan([wanda], { offsets: 'random', seed })))[0]!.perplexity;
    expect(await at(1)).toBe(await at(1));
    expect(await at(1)).not.toBe(await at(2));
  });

  test('what was evaluated together is what is evaluated alone', async () => {
    const magnitude = { metric: 'magnitude', expression: fromPrefix('W'), sparsity: half };
    const together = await engine.evaluate(plan([wanda, magnitude]));
    const alone = [...(await engine.evaluate(plan([wanda]))), ...(await engine.evaluate(plan([magnitude])))];
    expect(together.map(({ perplexity }) => perplexity)).toEqual(alone.map(({ perplexity }) => perplexity));
  });

  test('nothing pruned is the dense model', async () => {
    const [result] = await engine.evaluate(plan([{ ...wanda, sparsity: { kind: 'unstructured', share: 0 } }]));
    expect(result!.perplexity).toBe(result!.densePerplexity);
  });
});

describe('a long evaluation', () => {
  test('reports progress up to its end', async () => {
    const seen: EvaluationProgress[] = [];
    await engine.evaluate(plan([wanda], { calibrate: 'one-shot' }), { onProgress: (progress) => seen.push(progress) });
    expect(new Set(seen.map(({ stage }) => stage))).toEqual(new Set(['device', 'reading', 'evaluating']));
    const steps = seen.filter(({ stage }) => stage === 'evaluating');
    expect(steps.map(({ done }) => done)).toEqual(steps.map((_, i) => i + 1));
    expect(steps.at(-1)!.done).toBe(steps.at(-1)!.total);
  });

  test.each([0, 1, 2, 3, 5, 8, 13])('stops when asked to after %i reports, and the engine goes on', async (reports) => {
    const stop = new AbortController();
    let seen = 0;
    const work = engine.evaluate(plan([wanda]), {
      signal: stop.signal,
      onProgress: () => {
        if (seen++ === reports) stop.abort();
      },
    });
    expect((await failure(work)).code).toBe('cancelled');
    expect(await engine.evaluate(plan([wanda]))).toHaveLength(1);
  });

  test('a second one at the same time is refused', async () => {
    const first = engine.evaluate(plan([wanda]));
    expect((await failure(engine.evaluate(plan([])))).code).toBe('engine/invariant');
    expect(await first).toHaveLength(1);
  });
});

test('auto takes a device that works, and a description of the checkpoint needs none', async () => {
  const [result] = await engine.evaluate(plan([], { device: 'auto' }));
  const working = (await listDevices()).filter(({ works }) => works).map(({ name }) => name);
  expect(working).toContain(result!.provenance.device);
  expect(await engine.describe(files.folder)).toMatchObject({
    architecture: 'LlamaForCausalLM',
    hidden: 64,
    storedAs: ['BF16'],
  });
});

async function failure(work: Promise<unknown>): Promise<EspalierError> {
  const thrown: unknown = await work.then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(thrown).toBeInstanceOf(EspalierError);
  return thrown as EspalierError;
}

function withoutCalibration(whole: TextPlan): TextPlan {
  const { model, text, evaluations, settings } = whole;
  return { model, text, evaluations, settings };
}
