import type { ElementType } from '../graph/elementType.ts';
import { type Shape, sizeOf } from '../graph/shape.ts';
import type { Device, Program } from './device.ts';
import type { DeviceTensor } from './deviceTensor.ts';

/** Runs at most, and seconds after which none is begun: the first finds memory, and other work may meet any of them. */
const [RUNS, ENOUGH] = [4, 0.25];

/** Seconds that a program takes for one run on made-up inputs: the best of a few. */
export async function timeProgram(device: Device, program: Program): Promise<number> {
  const inputs: Record<string, DeviceTensor> = {};
  try {
    for (const { name, value } of program.inputs) inputs[name] = await madeUp(device, value.shape, value.type);
    let [best, spent] = [Infinity, 0];
    for (let run = 0; run < RUNS && spent < ENOUGH; run++) {
      const began = performance.now();
      const outputs = await program.run(inputs);
      const seconds = (performance.now() - began) / 1000;
      for (const output of Object.values(outputs)) output.dispose();
      best = Math.min(best, seconds);
      spent += seconds;
    }
    return best;
  } finally {
    for (const input of Object.values(inputs)) input.dispose();
  }
}

function madeUp(device: Device, shape: Shape, type: ElementType): Promise<DeviceTensor> {
  const data = type === 'int32' ? new Int32Array(sizeOf(shape)) : madeUpNumbers(sizeOf(shape));
  return device.upload(data, shape, type);
}

let numbers = new Float32Array();

/** Small numbers, no two neighbours alike; all that are asked for share them. */
export function madeUpNumbers(length: number): Float32Array {
  if (numbers.length < length) {
    numbers = new Float32Array(length);
    for (let i = 0; i < Math.min(length, PERIOD); i++) numbers[i] = ((i * 7919) % PERIOD) / PERIOD / 8 + 1e-3;
    for (let filled = PERIOD; filled < length; filled *= 2)
      numbers.copyWithin(filled, 0, Math.min(filled, length - filled));
  }
  return numbers.subarray(0, length);
}

const PERIOD = 10_007;

/** Lets go of what programs were timed with. */
export function forgetMadeUp(): void {
  numbers = new Float32Array();
}
