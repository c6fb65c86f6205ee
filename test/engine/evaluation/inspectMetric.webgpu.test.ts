import { afterAll, describe, expect, test } from 'vitest';
import { createEngine, listDevices } from '../../../src/engine/engine.ts';
import type { NodeStatistics } from '../../../src/experiment/inspectionSchema.ts';
import { DEFAULT_SETTINGS } from '../../../src/experiment/settings.ts';
import { FAMILIES } from '../../support/generate/families.ts';
import { temporaryFamily } from '../../support/generate/temporaryFamily.ts';
import { fromPrefix } from '../../support/oracle/prefix.ts';

const webgpu = (await listDevices()).find(({ name }) => name === 'webgpu')!;
const name = webgpu.works ? 'nodes on WebGPU are what they are on the CPU' : `WebGPU: ${webgpu.detail}`;

/** Every operation, operands of all kinds, a number, and values that are not finite. */
const METRICS = [
  'add(mms(mul(W, 0.5)), div(Xvar, zsn(neg(Wsigned))))',
  'mul(sub(Xmax, Xabs), log(sqr(abs(Xmean))))',
  'mul(pow(G), exp(tanh(skp(sqrt(X)))))',
  'power(add(2, 0.5), W)',
  'quotient(sub(W, W), sub(W, W))',
];

describe.runIf(webgpu.works)(name, () => {
  const engine = createEngine();
  afterAll(() => engine.dispose());

  test('in every metric', async () => {
    const files = await temporaryFamily('llama-3.1');
    try {
      const inspectOn = async (device: 'cpu' | 'webgpu', metric: string): Promise<readonly NodeStatistics[]> => {
        const plan = {
          ...{ model: files.folder, text: files.textFile, calibration: files.calibrationFile },
          evaluations: [{ metric, expression: fromPrefix(metric), sparsity: { kind: 'unstructured', share: 0.5 } }],
          settings: { ...DEFAULT_SETTINGS, device, samples: 3, offsets: 'even', length: FAMILIES['llama-3.1'].length },
        } as const;
        return (await engine.inspect(plan, 'model.layers.1.mlp.down_proj.weight')).nodes;
      };
      for (const metric of METRICS) {
        const [cpu, gpu] = [await inspectOn('cpu', metric), await inspectOn('webgpu', metric)];
        for (const [i, node] of cpu.entries()) {
          const other = gpu[i]!;
          expect({ ...other, minimum: 0, maximum: 0, mean: 0, histogram: [] }, metric).toEqual({
            ...node,
            ...{ minimum: 0, maximum: 0, mean: 0, histogram: [] },
          });
          const scale = Math.max(Math.abs(node.minimum ?? 0), Math.abs(node.maximum ?? 0), 1e-30);
          for (const key of ['minimum', 'maximum', 'mean'] as const) {
            const difference = Math.abs((other[key] ?? 0) - (node[key] ?? 0));
            expect(difference, `${metric}: ${key} of node ${i}`).toBeLessThanOrEqual(1e-4 * scale);
          }
        }
      }
    } finally {
      await files.remove();
    }
  });
});

test.skipIf(webgpu.works)(name, () => undefined);
