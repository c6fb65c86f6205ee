import { afterAll, expect, test } from 'vitest';
import { DenseStates } from '../../../src/engine/evaluation/denseStates.ts';
import { embed } from '../../../src/engine/forward/embed.ts';
import { ModelPrograms } from '../../../src/engine/forward/modelPrograms.ts';
import { sizeOf } from '../../../src/engine/graph/shape.ts';
import { DeviceTensor } from '../../../src/engine/runtime/deviceTensor.ts';
import { testDevices } from '../../support/runGraph.ts';
import { openDenseModel } from '../structure/denseModel.ts';

const { devices, missing } = await testDevices();
afterAll(() => Promise.all(devices.map((device) => device.dispose())));

const LENGTH = 12;

test.each(devices)(
  'on $name states are those that were kept, and go to a device of its own memory once',
  async ({ name }) => {
    const model = await openDenseModel('llama-2 grouped queries', 3, LENGTH, name);
    try {
      const { device, weights, samples } = model.inputs;
      const { checkpoint } = model;
      const programs = await ModelPrograms.create(checkpoint.config, device, LENGTH);
      const inputs = { checkpoint, device, weights, programs, evaluation: samples };
      const stream = await embed(inputs, samples);
      const states = new DenseStates();
      await states.keep(inputs, stream);
      const [batch] = stream.batches;
      const expected = (await device.download(batch!.x)).slice();
      const crossed = async (): Promise<number> => {
        device.traffic.take();
        const found = await states.of(device, batch!);
        const up = [...device.traffic.take().values()].reduce((sum, each) => sum + each.up, 0);
        expect(await device.download(found)).toEqual(expected);
        return up;
      };
      expect([await crossed(), await crossed()]).toEqual([device.resident ? 4 * expected.length : 0, 0]);
      // Of fewer sequences there are others.
      const shape = [2 * LENGTH, checkpoint.config.hidden];
      const fewer = { ...batch!, ids: batch!.ids.slice(0, 2), x: DeviceTensor.empty(shape) };
      expect((await states.of(device, fewer)).floats()).toEqual(expected.subarray(0, sizeOf(shape)));
      states.dispose();
      stream.dispose();
      programs.dispose();
    } finally {
      await model.close();
    }
  },
);

// Stands in, by name and with the reason, for the test above on a machine without the device.
if (missing !== undefined) test.skip(`on webgpu: ${missing}`, () => undefined);
