import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { EspalierError } from '../../../src/base/errors.ts';
import { Rng } from '../../../src/base/rng.ts';
import { openCheckpoint } from '../../../src/engine/checkpoint/checkpoint.ts';
import { readParameter } from '../../../src/engine/checkpoint/readParameter.ts';
import { createEngine, type Engine } from '../../../src/engine/engine.ts';
import { allParameters } from '../../../src/engine/families/families.ts';
import type { ExportReport } from '../../../src/experiment/exportSchema.ts';
import type { EvaluationPlan, WeightEvaluation } from '../../../src/experiment/planSchema.ts';
import { warningsOf } from '../../../src/experiment/resultWarnings.ts';
import { DEFAULT_SETTINGS, type DeviceName } from '../../../src/experiment/settings.ts';
import type { WeightUpdate } from '../../../src/experiment/updates.ts';
import { rewriteWeights, type RawTensors } from '../../support/generate/rewriteWeights.ts';
import { temporaryFamily, type TemporaryFamily } from '../../support/generate/temporaryFamily.ts';
import { fromPrefix } from '../../support/oracle/prefix.ts';

// Inputs that H cannot be inverted for without damping: what comes out is finite, or an error with a code, and nothing else is written.

/** Another device can be put to the same test: ESPALIER_TEST_DEVICE=webgpu. */
const device = (process.env['ESPALIER_TEST_DEVICE'] ?? 'cpu') as DeviceName;

/** Rows of gate and up make the inputs of down: equal rows make equal inputs, zeros inputs that never fire. */
const MODELS: Readonly<Record<string, (tensors: RawTensors) => void>> = {
  'as it is': () => undefined,
  'duplicated inputs': (tensors) => {
    changeRows(tensors, /(gate|up)_proj/, (rows) => rows.map((_, i) => rows[i - (i % 4)]!));
  },
  'dead inputs': (tensors) => {
    changeRows(tensors, /up_proj/, (rows) => rows.map((row, i) => (i % 3 === 0 ? row.fill(0) : row)));
  },
  'all inputs dead': (tensors) => {
    changeRows(tensors, /input_layernorm/, (rows) => rows.map((row) => row.fill(0)));
  },
  'one input a million times the others': (tensors) => {
    changeRows(tensors, /up_proj/, (rows) => rows.map((row, i) => (i === 5 ? row.map((value) => value * 1e6) : row)));
  },
  'inputs that are nearly the same, and some that are tiny': (tensors) => {
    const rng = new Rng(3);
    changeRows(tensors, /up_proj/, (rows) =>
      rows.map((_, i) => rows[0]!.map((value) => (i % 5 === 0 ? 1e-12 : 1) * value * (1 + 1e-6 * rng.normal()))),
    );
    changeRows(tensors, /gate_proj/, (rows) => rows.map(() => rows[0]!));
  },
};

const METHODS: readonly { readonly update: WeightUpdate; readonly metric: string }[] = [
  { metric: 'sparsegpt', update: { method: 'sparsegpt', damping: 0.01, columns: 128 } },
  { metric: 'mul(W, sqrt(X))', update: { method: 'sparsegpt', damping: 0, columns: 128 } },
  { metric: 'mul(W, sqrt(X))', update: { method: 'admm', iterations: 20, damping: 0.1 } },
  { metric: 'W', update: { method: 'admm', iterations: 20, damping: 0 } },
];

const CODES: readonly string[] = ['recovery/ill-conditioned', 'evaluation/not-finite', 'metric/invalid-score'];

let engine: Engine;
let root: string;
let family: TemporaryFamily;
beforeAll(async () => {
  engine = createEngine({ startFresh: () => createEngine() });
  root = await mkdtemp(path.join(tmpdir(), 'espalier-ill-'));
  family = await temporaryFamily('llama-1');
});
afterAll(async () => {
  await engine.dispose();
  await family.remove();
  await rm(root, { recursive: true });
});

test.each(Object.keys(MODELS))('%s', async (name) => {
  const model = await temporaryFamily('llama-1');
  rewriteWeights(model.folder, MODELS[name]!);
  for (const [index, method] of METHODS.entries()) {
    for (const samples of [1, 6]) {
      const folder = path.join(root, `${name} ${index} ${samples}`);
      const report = await exportOrNone(planOf(model, method, samples), folder);
      if (!report) {
        expect(await readdir(root)).not.toContain(path.basename(folder));
        continue;
      }
      const { result } = report;
      expect(Number.isFinite(result.perplexity)).toBe(true);
      if (result.update!.damped) {
        expect(result.update!.damped.damping).toBeGreaterThan(method.update.damping);
        expect(result.update!.damped.layers).toBeGreaterThan(0);
      }
      const written = await openCheckpoint(folder);
      let [zeros, count] = [0, 0];
      for (const parameter of allParameters(written.config).filter(({ linear }) => linear)) {
        const values = readParameter(written, parameter);
        expect(values.every(Number.isFinite)).toBe(true);
        count += values.length;
        zeros += values.reduce((sum, value) => sum + Number(value === 0), 0);
      }
      written.close();
      expect(result.actualSparsity).toBeCloseTo(zeros / count, 12);
      expect(result.actualSparsity).toBeGreaterThanOrEqual(0.5);
    }
  }
  await model.remove();
});

test('damping that is not asked for, where one sample has fewer tokens than a layer has inputs, is told', async () => {
  const [result] = await engine.evaluate(planOf(family, METHODS[1]!, 1));
  const { layers, damping } = result!.update!.damped!;
  expect(layers).toBeGreaterThan(0);
  expect(damping).toBeGreaterThan(0);
  const told = `H of ${layers} layer${layers === 1 ? '' : 's'} could not be inverted with a damping of 0, and got up to ${damping}`;
  expect(warningsOf(result!)).toContainEqual(expect.stringContaining(told));
});

/** The report, or nothing for an error with a code that says what is wrong. */
async function exportOrNone(plan: EvaluationPlan, folder: string): Promise<ExportReport | undefined> {
  try {
    return await engine.exportModel(plan, { folder, format: 'huggingface' });
  } catch (error) {
    if (!(error instanceof EspalierError)) throw error;
    expect(CODES).toContain(error.code);
    return undefined;
  }
}

function planOf(
  { folder, textFile, calibrationFile }: TemporaryFamily,
  { metric, update }: (typeof METHODS)[number],
  samples: number,
): EvaluationPlan {
  const evaluation: WeightEvaluation = {
    metric,
    ...(metric !== 'sparsegpt' && { expression: fromPrefix(metric) }),
    sparsity: { kind: 'unstructured', share: 0.5 },
    update,
  };
  const few = { device, threads: 1, samples, blocks: 2, length: 24, offsets: 'even' } as const;
  return {
    ...{ model: folder, text: textFile, calibration: calibrationFile, evaluations: [evaluation] },
    settings: { ...DEFAULT_SETTINGS, ...few },
  };
}

/** Changes rows of float32 matrices, and vectors as one row each. */
function changeRows(tensors: RawTensors, name: RegExp, change: (rows: Float32Array[]) => Float32Array[]): void {
  for (const [tensor, { dtype, shape, bytes }] of tensors) {
    if (!name.test(tensor)) continue;
    const values = new Float32Array(Uint8Array.from(bytes).buffer);
    const columns = shape.at(-1)!;
    const rows = Array.from({ length: values.length / columns }, (_, i) =>
      values.slice(i * columns, (i + 1) * columns),
    );
    const changed = Float32Array.from(change(rows).flatMap((row) => [...row]));
    tensors.set(tensor, { dtype, shape, bytes: new Uint8Array(changed.buffer) });
  }
}
