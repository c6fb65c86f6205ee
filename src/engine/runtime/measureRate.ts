import type { Device } from './device.ts';
import { DeviceTensor } from './deviceTensor.ts';
import { buildGemmGraph } from './gemmGraph.ts';

const [SIZE, RUNS] = [1024, 4];

/** Rate of a device on a matrix product of 1024³ in its precision, in 10⁹ operations a second: the best of a few. */
export async function measureRate(device: Device): Promise<number> {
  const build = () => buildGemmGraph(SIZE, SIZE, SIZE, device.precision);
  const program = await device.program('rate', build, () => true);
  const ones = DeviceTensor.fromHost(new Float32Array(SIZE * SIZE).fill(1), [SIZE, SIZE]);
  const y = device.resident ? {} : { y: DeviceTensor.empty([SIZE, SIZE]) };
  let best = Infinity;
  for (let run = 0; run < RUNS; run++) {
    const begin = performance.now();
    await program.run({ x: ones, weight: ones }, y);
    best = Math.min(best, performance.now() - begin);
  }
  await device.release((key) => key !== 'rate');
  return (2 * SIZE ** 3) / best / 1e6;
}
