import { afterAll, describe, expect, it } from 'vitest';
import { Rng } from '../../../../src/base/rng.ts';
import { type AdamSettings, AdamTensor } from '../../../../tools/sample/training/adam.ts';
import { Device } from '../../../../src/engine/runtime/device.ts';
import { DeviceTensor } from '../../../../src/engine/runtime/deviceTensor.ts';
import { testDevices } from '../../../support/runGraph.ts';

const { devices, missing } = await testDevices();

afterAll(async () => {
  for (const device of devices) await device.dispose();
});

/** The published algorithm, element by element in float64. */
function adamOracle(weights: number[], gradients: readonly (readonly number[])[], settings: AdamSettings): number[] {
  const { beta1, beta2, epsilon, weightDecay } = settings;
  const mean = weights.map(() => 0);
  const square = weights.map(() => 0);
  for (const [index, gradient] of gradients.entries()) {
    const rate = 0.01 * (index + 1);
    for (let i = 0; i < weights.length; i++) {
      const g = gradient[i]! * SCALE;
      mean[i] = beta1 * mean[i]! + (1 - beta1) * g;
      square[i] = beta2 * square[i]! + (1 - beta2) * g ** 2;
      const meanHat = mean[i]! / (1 - beta1 ** (index + 1));
      const squareHat = square[i]! / (1 - beta2 ** (index + 1));
      weights[i]! -= rate * (meanHat / (Math.sqrt(squareHat) + epsilon) + weightDecay * weights[i]!);
    }
  }
  return weights;
}

const SCALE = 0.25;

describe.each(devices.map((device) => [device.name, device] as const))('Adam on %s', (_, device) => {
  it.each([
    ['a matrix, without decay', [7, 5], { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0 }],
    ['a matrix, with decay', [3, 8], { beta1: 0.9, beta2: 0.98, epsilon: 1e-6, weightDecay: 0.3 }],
    ['a vector', [13], { beta1: 0.5, beta2: 0.7, epsilon: 1e-3, weightDecay: 0.1 }],
  ])('%s: ten updates as a loop in float64 does them', async (_, shape, settings) => {
    const rng = new Rng(shape.length);
    const size = shape.reduce((a, b) => a * b);
    // float32 values, so that both begin with the same numbers; one gradient is always zero
    const draw = (scale: number): Float32Array => Float32Array.from({ length: size }, () => scale * rng.normal());
    const weights = draw(1);
    const gradients = Array.from({ length: 10 }, () => draw(3).fill(0, 0, 1));
    const tensor = await AdamTensor.create(device, shape, weights, settings);
    for (const [index, gradient] of gradients.entries()) {
      const step = { step: index + 1, rate: 0.01 * (index + 1), scale: SCALE };
      await tensor.update(await device.upload(gradient, shape, 'float32'), step);
    }
    const found = await device.download(tensor.weight);
    const expected = adamOracle(
      [...weights],
      gradients.map((gradient) => [...gradient]),
      settings,
    );
    for (let i = 0; i < size; i++) expect(Math.abs(found[i]! - expected[i]!)).toBeLessThan(2e-6);
    tensor.dispose();
  });
});

describe('Adam', () => {
  it.skipIf(missing === undefined)(`WebGPU is left out: ${missing ?? ''}`, () => undefined);

  it('leaves the weights that it was given alone', async () => {
    const device = new Device({ name: 'cpu', precision: 'float32', threads: 1 });
    const weights = Float32Array.of(1, 2);
    const settings = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0 };
    const tensor = await AdamTensor.create(device, [2], weights, settings);
    for (const step of [1, 2, 3]) {
      await tensor.update(DeviceTensor.fromHost(Float32Array.of(1, -1), [2]), { step, rate: 0.1, scale: 1 });
    }
    expect([...weights]).toEqual([1, 2]);
    // A gradient that never changes moves each weight by the rate, against its sign.
    expect([...tensor.weight.floats()].map((weight) => Number(weight.toFixed(5)))).toEqual([0.7, 2.3]);
    await device.dispose();
  });
});
