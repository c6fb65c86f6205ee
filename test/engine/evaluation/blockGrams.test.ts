import { afterAll, describe, expect, test } from 'vitest';
import { openCheckpoint } from '../../../src/engine/checkpoint/checkpoint.ts';
import { BlockGrams, inputOf } from '../../../src/engine/evaluation/blockGrams.ts';
import { CalibrationStream } from '../../../src/engine/evaluation/calibrationStream.ts';
import { BlockWeights } from '../../../src/engine/forward/blockWeights.ts';
import { ModelPrograms } from '../../../src/engine/forward/modelPrograms.ts';
import { ReusedArrays } from '../../../src/engine/runtime/reusedArrays.ts';
import type { DeviceName } from '../../../src/experiment/settings.ts';
import type { FamilyName } from '../../support/generate/families.ts';
import { temporaryFamily } from '../../support/generate/temporaryFamily.ts';
import type { Matrix } from '../../support/oracle/matrix.ts';
import { linearsOf, loadOracle } from '../../support/oracle/model.ts';
import { evenSamples } from '../../support/oracle/prune.ts';
import { tokenize } from '../../support/oracle/tokenize.ts';
import { testDevices } from '../../support/runGraph.ts';

// H of every input against loops in float64: transposed weights, biases, inputs that layers share, experts; two batches of unlike size.

const FAMILIES: readonly FamilyName[] = [
  ...(['llama biases', 'gpt-2', 'opt-350m', 'gpt-neox', 'falcon 40b', 'phi-3', 'gemma3', 'mixtral'] as const),
  ...(['qwen2-moe', 'olmoe'] as const),
];
const LENGTH = 16;
/** WebGPU adds up all the 4096 rows of a batch one after the other. */
const TOLERANCE: Readonly<Partial<Record<DeviceName, number>>> = { cpu: 1e-5, webgpu: 5e-5 };

const { devices, missing } = await testDevices();
afterAll(() => Promise.all(devices.map((device) => device.dispose())));

describe.each(devices)('on $name', (device) => {
  test.each(FAMILIES)('%s', async (name) => {
    const family = await temporaryFamily(name);
    const count = Math.floor(1.3 * (device.resident ? 4096 : 1024)) / LENGTH;
    const samples = evenSamples(tokenize(family.folder, family.calibration), Math.floor(count), LENGTH);
    const checkpoint = await openCheckpoint(family.folder);
    const weights = new BlockWeights(checkpoint, device, true);
    const programs = await ModelPrograms.create(checkpoint.config, device, LENGTH);
    const calibration = samples.map((sample) => Int32Array.from(sample));
    const stream = await CalibrationStream.open({ checkpoint, device, calibrationPrograms: programs, calibration }, []);
    expect(stream.batches).toBe(2);
    const oracle = loadOracle(family.folder);
    const arrays = new ReusedArrays();
    let hidden = samples.map((sample) => oracle.embed(sample));
    for (const [index, layout] of weights.layouts.entries()) {
      const layers = layout.parameters.filter(({ linear }) => linear);
      const grams = await BlockGrams.open(device, layers, arrays);
      await stream.observe(layout, await weights.block(index), true, () => Promise.resolve(), '', grams);
      const expected = new Map<string, { h: Float64Array; tokens: number }>();
      const observe = (linear: string, x: Matrix): void => {
        addTo(expected, oracle.weightName(index, linear), x);
      };
      hidden = hidden.map((x) => oracle.block(index, x, observe));
      expect(grams.inputs.length).toBe(new Set(layers.map(inputOf)).size);
      expect(linearsOf(oracle, index).length).toBe(layers.length);
      for (const layer of layers) {
        const found = await grams.of(layer);
        const { h, tokens } = expected.get(layer.tensor) ?? { h: new Float64Array(found.size ** 2), tokens: 0 };
        expect(found.tokens, layer.tensor).toBe(tokens);
        expect(distance(await device.download(found.sums), h, found.size), layer.tensor).toBeLessThan(
          TOLERANCE[device.name]!,
        );
      }
      grams.dispose();
    }
    await stream.dispose();
    programs.dispose();
    weights.dispose();
    checkpoint.close();
    await family.remove();
  });
});

// Stands in, by name and with the reason, for the tests above on a machine without the device.
if (missing !== undefined) test.skip(`on webgpu: ${missing}`, () => undefined);

function addTo(all: Map<string, { h: Float64Array; tokens: number }>, key: string, { rows, columns, values }: Matrix) {
  const sum = all.get(key) ?? { h: new Float64Array(columns * columns), tokens: 0 };
  all.set(key, sum);
  sum.tokens += rows;
  for (let t = 0; t < rows; t++)
    for (let i = 0; i < columns; i++)
      for (let j = 0; j < columns; j++) sum.h[i * columns + j]! += values[t * columns + i]! * values[t * columns + j]!;
}

/** The largest difference, in units of what the two inputs have on the diagonal. */
function distance(found: Float32Array, expected: Float64Array, size: number): number {
  const scale = Array.from({ length: size }, (_, i) => Math.sqrt(expected[i * size + i]!) || 1);
  return found.reduce((worst, value, at) => {
    const [i, j] = [Math.floor(at / size), at % size];
    return Math.max(worst, Math.abs(value - expected[at]!) / (scale[i]! * scale[j]!));
  }, 0);
}
