import { expect, test } from 'vitest';
import { Device } from '../../../src/engine/runtime/device.ts';
import { DeviceTensor } from '../../../src/engine/runtime/deviceTensor.ts';
import { freeBuffer } from '../../../src/engine/runtime/freeBuffer.ts';
import { GraphBuilder } from '../../../src/engine/graph/graphBuilder.ts';

test('an array that is freed is empty, and so is every view of its buffer', () => {
  const whole = new Float32Array(8);
  const part = whole.subarray(2, 4);
  freeBuffer(part);
  expect([whole.length, part.length, whole.buffer.byteLength]).toEqual([0, 0, 0]);
});

test('bytes of freed arrays do not gather until the collector finds them', () => {
  const before = process.memoryUsage().arrayBuffers;
  for (let i = 0; i < 64; i++) freeBuffer(new Float32Array(1 << 18).fill(1));
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 ** 20);
});

test('what a program writes to a spare stays, and the copy that the runtime makes of it does not', async () => {
  const device = new Device({ name: 'cpu', precision: 'float32', threads: 1 });
  const size = 1 << 20;
  const graph = new GraphBuilder();
  graph.output('y', graph.add(graph.input('x', [size]), graph.input('x1', [size])));
  const program = await device.program(
    'sum',
    () => graph.build('sum'),
    () => true,
  );
  const x = DeviceTensor.fromHost(new Float32Array(size).fill(2), [size]);
  const y = DeviceTensor.empty([size]);
  const before = process.memoryUsage().arrayBuffers;
  for (let i = 0; i < 8; i++) expect((await program.run({ x, x1: x }, { y }))['y']).toBe(y);
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(4 * size);
  expect([y.floats().length, y.floats().every((value) => value === 4)]).toEqual([size, true]);
  await device.dispose();
});
