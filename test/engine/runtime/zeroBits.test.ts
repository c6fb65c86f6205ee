import { afterAll, describe, expect, test } from 'vitest';
import { Rng } from '../../../src/base/rng.ts';
import { DeviceTensor } from '../../../src/engine/runtime/deviceTensor.ts';
import { zeroBits } from '../../../src/engine/runtime/zeroBits.ts';
import { testDevices } from '../../support/runGraph.ts';

const { devices, missing } = await testDevices();
afterAll(() => Promise.all(devices.map((device) => device.dispose())));

describe.each(devices)('bits of a mask on $name', (device) => {
  test('are set where a weight is zero, also −0, and not past the end', async () => {
    const values = Float32Array.of(0, 1, -0, NaN, 1e-30, 0, 2, 3, 0, 4);
    const bits = await zeroBits(device, await device.upload(values, [2, 5], 'float32'));
    expect([...bits]).toEqual([0b0010_0101, 0b0000_0001]);
  });

  // Whole words of 24, a part of one, more than one.
  test.each([1, 23, 24, 25, 48, 1000])('of %i weights are those of each', async (size) => {
    const rng = new Rng(size);
    const values = Float32Array.from({ length: size }, () => rng.integer(2));
    const expected = new Uint8Array(Math.ceil(size / 8));
    values.forEach((value, i) => (expected[i >> 3]! |= Number(value === 0) << (i & 7)));
    expect(await zeroBits(device, await device.upload(values, [size], 'float32'))).toEqual(expected);
  });
});

test('of what is in this process nothing crosses', async () => {
  const device = devices.at(-1)!;
  device.traffic.take();
  await zeroBits(device, DeviceTensor.empty([4]));
  expect(device.traffic.take().size).toBe(0);
});

// Stands in, by name and with the reason, for the tests above on a machine without the device.
if (missing !== undefined) test.skip(`on webgpu: ${missing}`, () => undefined);
