import { afterAll, describe, expect, test } from 'vitest';
import { createEngine, type Engine, listDevices } from '../../src/engine/engine.ts';
import { Device } from '../../src/engine/runtime/device.ts';
import type { TextPlan } from '../../src/experiment/planSchema.ts';
import type { PerplexityResult } from '../../src/experiment/resultSchema.ts';
import { DEFAULT_SETTINGS, type EvaluationSettings } from '../../src/experiment/settings.ts';
import type { StructureMethod } from '../../src/experiment/structure.ts';
import { UNIFORM } from '../../src/experiment/structure.ts';
import { FAMILIES, type FamilyName } from '../support/generate/families.ts';
import { temporaryFamily } from '../support/generate/temporaryFamily.ts';
import { GRADIENT_METRICS, METRICS } from '../support/oracle/metrics.ts';
import { fromPrefix } from '../support/oracle/prefix.ts';
import { randomTensor, runGraph } from '../support/runGraph.ts';

const webgpu = (await listDevices()).find(({ name }) => name === 'webgpu')!;
const name = webgpu.works ? 'WebGPU gives what the CPU gives' : `WebGPU does not work here: ${webgpu.detail}`;

/** One of each thing that a program can hold: grouped queries and rotation, window, biases, head norms, layer norms, ALiBi, experts. */
const families: readonly FamilyName[] = [
  ...([
    'llama-3.1',
    'mistral',
    'qwen2 window',
    'qwen3',
    'opt-350m',
    'gpt-neox',
    'phi-4',
    'gpt-2',
    'falcon rw',
    'mixtral',
  ] as const),
];

/** What is tried every time: a software device compiles for minutes; `npm run test:slow` tries all. */
const OFTEN: readonly FamilyName[] = ['llama-3.1', 'falcon rw'];

const STRUCTURES: readonly StructureMethod[] = ['wanda-sp', 'taylor', 'flap', 'shortgpt'];
/** Of a mixture, where all tokens go through all experts on the one device, and not on the other. */
const OF_EXPERTS: readonly StructureMethod[] = ['reap', 'wanda-experts', 'routing-frequency', 'shortgpt'];

describe.runIf(webgpu.works)(name, () => {
  // Both in turn in one engine: changing the device must leave nothing of the other behind.
  const engine = createEngine();
  afterAll(() => engine.dispose());

  test.each(process.env['ESPALIER_SLOW'] ? families : OFTEN)('%s', async (family) => {
    const files = await temporaryFamily(family);
    try {
      const evaluations = [
        planned('mul(W, sqrt(X))', '50%'),
        planned('mul(W, sqrt(X))', '2:4'),
        planned('W', '50%'),
        ...Object.values({ ...METRICS, ...GRADIENT_METRICS }).map((metric) => planned(metric, '50%')),
        ...(family === 'mixtral' ? OF_EXPERTS : STRUCTURES).map(structural),
      ];
      const plan = planOf(files, { length: FAMILIES[family].length }, evaluations);
      const [cpu, gpu] = [await evaluateOn(engine, plan, 'cpu'), await evaluateOn(engine, plan, 'webgpu')];
      expect(gpu.results.map(({ provenance }) => provenance.device)).toEqual(cpu.results.map(() => 'webgpu'));
      for (const [i, result] of cpu.results.entries()) {
        // A score that is a tie but for rounding may fall either way, so that a few weights differ.
        const difference = Math.abs(gpu.results[i]!.perplexity / result.perplexity - 1);
        expect(difference, result.expression).toBeLessThan(1e-4);
        expect(gpu.results[i]!.actualSparsity).toBeCloseTo(result.actualSparsity, 6);
        expect(gpu.results[i]!.fingerprint).not.toBe(result.fingerprint);
        expect(gpu.results[i]!.structure?.blocks).toEqual(result.structure?.blocks);
      }
      expect(shareOfEqual(cpu.masks, gpu.masks)).toBeGreaterThan(0.999);
      expect(gpu.gradients.length).toBeGreaterThan(0);
      for (const [i, gradient] of cpu.gradients.entries())
        expect(distance(gpu.gradients[i]!, gradient)).toBeLessThan(1e-4);
    } finally {
      await files.remove();
    }
  });

  test('float16 is close to float32, and says what it is', async () => {
    const files = await temporaryFamily('llama-3.1');
    const evaluations = [planned('mul(W, sqrt(X))', '50%'), structural('wanda-sp'), structural('flap')];
    const plan = planOf(files, { length: FAMILIES['llama-3.1'].length }, evaluations);
    try {
      const full = (await evaluateOn(engine, plan, 'webgpu')).results;
      const half = evaluateOn(engine, { ...plan, settings: { ...plan.settings, precision: 'float16' } }, 'webgpu');
      if (!webgpu.float16) {
        await expect(half).rejects.toMatchObject({ code: 'settings/invalid' });
        return;
      }
      for (const [i, result] of (await half).results.entries()) {
        expect(result.provenance.precision).toBe('float16');
        expect(result.densePerplexity).not.toBe(full[i]!.densePerplexity);
        expect(Math.abs(result.densePerplexity / full[i]!.densePerplexity - 1)).toBeLessThan(1e-2);
        expect(Math.abs(result.perplexity / full[i]!.perplexity - 1)).toBeLessThan(5e-2);
      }
    } finally {
      await files.remove();
    }
  });

  test('a program that the device cannot hold as a whole is refused, not run on the CPU', async () => {
    const device = new Device({ name: 'webgpu', precision: 'float32', threads: 1 });
    const x = randomTensor([2, 2], 1);
    const onTheCpu = runGraph(device, [x], (graph, value) => {
      // WebGPU has no addition of int64.
      const whole = graph.cast(value, 'int64');
      return graph.add(whole, whole);
    });
    await expect(onTheCpu).rejects.toMatchObject({ code: 'device/failed' });
    await device.dispose();
  });
});

test.skipIf(webgpu.works)(name, () => undefined);

function planned(prefix: string, sparsity: '50%' | '2:4'): TextPlan['evaluations'][number] {
  return {
    metric: prefix,
    expression: fromPrefix(prefix),
    sparsity: sparsity === '50%' ? { kind: 'unstructured', share: 0.5 } : { kind: 'n:m', keep: 2, of: 4 },
  };
}

function structural(method: StructureMethod): TextPlan['evaluations'][number] {
  return {
    metric: method,
    structure: { kind: 'scored', score: { kind: 'method', method }, rates: UNIFORM },
    sparsity: { kind: 'unstructured', share: 0.4 },
  };
}

function planOf(
  files: { folder: string; textFile: string; calibrationFile: string },
  settings: Partial<EvaluationSettings>,
  evaluations: TextPlan['evaluations'],
): TextPlan {
  return {
    model: files.folder,
    text: files.textFile,
    calibration: files.calibrationFile,
    evaluations,
    settings: { ...DEFAULT_SETTINGS, samples: 3, blocks: 4, offsets: 'even', ...settings },
  };
}

async function evaluateOn(
  engine: Engine,
  plan: TextPlan,
  device: 'cpu' | 'webgpu',
): Promise<{ results: readonly PerplexityResult[]; masks: boolean[]; gradients: Float32Array[] }> {
  const masks: boolean[] = [];
  const gradients: Float32Array[] = [];
  const results = await engine.evaluate(
    { ...plan, settings: { ...plan.settings, device } },
    {
      onPruned: ({ weight, gradient }) => {
        if (gradient) gradients.push(gradient.slice());
        weight.forEach((value) => masks.push(value === 0));
      },
    },
  );
  return { results, masks, gradients };
}

/** ‖a − b‖ / ‖b‖ */
function distance(a: Float32Array, b: Float32Array): number {
  const difference = Math.hypot(...a.map((value, i) => value - b[i]!));
  return difference / Math.hypot(...b);
}

function shareOfEqual(a: readonly boolean[], b: readonly boolean[]): number {
  expect(a.length).toBe(b.length);
  return a.filter((value, i) => value === b[i]).length / a.length;
}
