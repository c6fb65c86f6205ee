import type { Graph } from '../graph/graph.ts';
import { GraphBuilder } from '../graph/graphBuilder.ts';
import { sizeOf } from '../graph/shape.ts';
import type { Device } from './device.ts';
import type { DeviceTensor } from './deviceTensor.ts';

/** Bits that a float32 holds as a whole number: three bytes of them. */
const WORD = 24;

/** One bit an element, set where it is zero, the lowest of a byte first. From a device the bits come, and not what they are made of. */
export async function zeroBits(device: Device, tensor: DeviceTensor): Promise<Uint8Array> {
  if (!tensor.resident) return bitsOf(tensor.floats());
  const { type, shape } = tensor;
  const key = `zero bits ${type} ${shape.join('×')}`;
  const program = await device.program(
    key,
    () => bitsGraph(tensor),
    () => true,
  );
  const words = (await program.run({ x: tensor }))['y']!.floats();
  const bytes = new Uint8Array(3 * words.length);
  for (const [i, word] of words.entries()) {
    bytes[3 * i] = word & 0xff;
    bytes[3 * i + 1] = (word >> 8) & 0xff;
    bytes[3 * i + 2] = word >> 16;
  }
  return bytes.subarray(0, (sizeOf(shape) + 7) >> 3);
}

function bitsOf(values: Float32Array): Uint8Array {
  const bits = new Uint8Array((values.length + 7) >> 3);
  for (let i = 0; i < values.length; i++) if (values[i] === 0) bits[i >> 3]! |= 1 << (i & 7);
  return bits;
}

/** x → [words, 1]: of each 24 elements Σ 2^i where the i-th is zero. */
function bitsGraph({ type, shape }: Pick<DeviceTensor, 'type' | 'shape'>): Graph {
  const graph = new GraphBuilder();
  const size = sizeOf(shape);
  const words = Math.ceil(size / WORD);
  const x = graph.cast(graph.reshape(graph.input('x', shape, type), [size]), 'float32');
  const zero = graph.cast(graph.equal(x, graph.scalar(0)), 'float32');
  const missing = words * WORD - size;
  const whole =
    missing === 0 ? zero : graph.concat([zero, graph.constant(Array<number>(missing).fill(0), [missing])], 0);
  const powers = graph.constant(
    Array.from({ length: WORD }, (_, i) => 2 ** i),
    [1, WORD],
  );
  graph.output('y', graph.reduceSum(graph.mul(graph.reshape(whole, [words, WORD]), powers), [1]));
  return graph.build('zero bits');
}
