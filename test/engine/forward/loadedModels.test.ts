import { afterAll, beforeAll, expect, test } from 'vitest';
import { embed } from '../../../src/engine/forward/embed.ts';
import { LoadedModels } from '../../../src/engine/forward/loadedModels.ts';
import { ModelPrograms } from '../../../src/engine/forward/modelPrograms.ts';
import { Device } from '../../../src/engine/runtime/device.ts';
import { temporaryFamily, type TemporaryFamily } from '../../support/generate/temporaryFamily.ts';

const device = new Device({ name: 'cpu', precision: 'float32', threads: 1 });
let [first, second]: TemporaryFamily[] = [];
beforeAll(async () => {
  [first, second] = [await temporaryFamily('llama-1'), await temporaryFamily('mistral')];
});
afterAll(async () => {
  await device.dispose();
  await first!.remove();
  await second!.remove();
});

test('programs stay as long as the model does, and go with it', async () => {
  const models = new LoadedModels({});
  const run = async (folder: string): Promise<unknown> => {
    const { checkpoint, weights } = await models.load(folder, device, undefined);
    const programs = await ModelPrograms.create(checkpoint.config, device, 8);
    const stream = await embed({ checkpoint, device, programs }, [Int32Array.of(1, 2, 3, 4, 5, 6, 7, 8)]);
    await stream.advance(weights.layouts[0]!, await weights.block(0), () => Promise.resolve(), '');
    return programs.block(weights.layouts[0]!, 1);
  };
  const program = await run(first!.folder);
  expect(await run(first!.folder)).toBe(program);
  await run(second!.folder);
  expect(await run(first!.folder)).not.toBe(program);
  models.dispose();
});
