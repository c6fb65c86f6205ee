import { afterAll, describe, expect, it } from 'vitest';
import { createEngine, listDevices } from '../../../src/engine/engine.ts';
import { processorName } from '../../../src/engine/runtime/processor.ts';
import { VERSION } from '../../../src/base/version.ts';
import { failureOf } from '../../support/expectCoded.ts';
import { temporaryFamily } from '../../support/generate/temporaryFamily.ts';
import { DEFAULT_SEARCH_OPERATIONS } from '../../../src/search/metrics/plan.ts';
import type { MetricSearchPlan } from '../../../src/search/metrics/plan.ts';
import { DEFAULT_METRIC_SEARCH_SETTINGS } from '../../../src/search/metrics/settings.ts';
import type { TemporaryFamily } from '../../support/generate/temporaryFamily.ts';
import { FAMILIES } from '../../support/generate/families.ts';
import { digitsOf } from '../../../src/queue/wire.ts';
import { DEFAULT_SETTINGS } from '../../../src/experiment/settings.ts';

const reports = await listDevices();
const webgpu = reports.find(({ name }) => name === 'webgpu')!;

describe('the class of a worker', () => {
  const engine = createEngine();
  afterAll(() => engine.dispose());

  it('is named by versions, processor and precision', async () => {
    const found = await engine.workClass({ device: 'cpu', precision: 'float32' });
    expect(found).toEqual({
      ...{ espalier: VERSION, onnxruntime: found.onnxruntime, device: 'cpu' },
      ...{ deviceName: processorName(), precision: 'float32' },
    });
    expect(found.onnxruntime).toMatch(/^\d+\.\d+\.\d+$/);
  });

  it('is refused where it cannot be', async () => {
    const { code } = await failureOf(() => engine.workClass({ device: 'cpu', precision: 'float16' }));
    expect(code).toBe('settings/invalid');
  });
});

describe('a number of a device', () => {
  it.each([
    ['cpu', 1],
    ['coreml', 1],
    ['webgpu', 200],
  ] as const)('%s:%i, which there is not, is refused', async (device, deviceNumber) => {
    const engine = createEngine({ deviceNumber });
    try {
      const asked = { device, precision: 'float32' } as const;
      const { code, data } = await failureOf(() => engine.workClass(asked));
      expect([code, data.operation]).toEqual(['device/unavailable', `starting the device ${device}:${deviceNumber}`]);
    } finally {
      await engine.dispose();
    }
  });
});

const title = webgpu.works ? 'two classes on this machine' : `WebGPU does not work here: ${webgpu.detail}`;
describe.runIf(webgpu.works)(title, () => {
  it('differ in their names, and in the digits of an opening', async () => {
    const files = await temporaryFamily('llama-3.1');
    const open = async (device: 'cpu' | 'webgpu') => {
      const engine = createEngine({ deviceNumber: 0 });
      try {
        const of = await engine.workClass({ device, precision: 'float32' });
        const plan = planOf(files, device);
        return { of, opening: await engine.open(plan) };
      } finally {
        await engine.dispose();
      }
    };
    try {
      const [cpu, gpu] = [await open('cpu'), await open('webgpu')];
      expect(gpu.of.deviceName).not.toBe(cpu.of.deviceName);
      // Mesa's layer, where there is one, tells the adapter's name; else it is the kind.
      expect([...(webgpu.numbered ?? []), 'webgpu']).toContain(gpu.of.deviceName);
      expect(gpu.opening.denseLosses).not.toEqual(cpu.opening.denseLosses);
      expect(digitsOf(gpu.opening)).not.toBe(digitsOf(cpu.opening));
      expect(digitsOf((await open('cpu')).opening)).toBe(digitsOf(cpu.opening));
    } finally {
      await files.remove();
    }
  });
});

function planOf(files: TemporaryFamily, device: 'cpu' | 'webgpu'): MetricSearchPlan & { readonly kind: 'metrics' } {
  const { length } = FAMILIES['llama-3.1'];
  return {
    ...{ kind: 'metrics', name: 'classes', model: files.folder, text: files.textFile, calibration: files.textFile },
    ...{ sparsity: { kind: 'unstructured', share: 0.5 }, operands: ['W'], operations: DEFAULT_SEARCH_OPERATIONS },
    ...{ seeds: [], baselines: [], search: DEFAULT_METRIC_SEARCH_SETTINGS },
    settings: { ...DEFAULT_SETTINGS, device, length, samples: 2, threads: 1 },
  };
}
