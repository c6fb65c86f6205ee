import { Rng } from '../../../src/base/rng.ts';
import { familyOf, type ModelConfig } from '../../../src/engine/families/families.ts';
import type { Weights } from '../../../src/engine/forward/blockWeights.ts';
import type { ParameterSource } from '../../../src/engine/gradient/modelBackward.ts';
import { sizeOf } from '../../../src/engine/graph/shape.ts';
import type { Device } from '../../../src/engine/runtime/device.ts';
import { DeviceTensor } from '../../../src/engine/runtime/deviceTensor.ts';

/** Random parameters of a model whose blocks are alike: all have those of the first, so that a large one takes the memory of one block. */
export function parametersInMemory(config: ModelConfig, device: Device, seed: number): ParameterSource {
  const family = familyOf(config);
  const layouts = config.windows.map((_, index) => family.block(config, index));
  const normals = normalPool(seed);
  const tensorsOf = (parameters: readonly { readonly name: string; readonly shape: readonly number[] }[]): Weights =>
    Object.fromEntries(parameters.map(({ name, shape }) => [name, DeviceTensor.fromHost(normals(shape), shape)]));
  const [block, { parameters, weight }] = [tensorsOf(layouts[0]!.parameters), family.head(config)];
  const head = tensorsOf([...parameters, { name: 'head', shape: weight.shape }]);
  if (device.resident) throw new Error('parameters in memory are for devices that compute there');
  return {
    layouts,
    block: () => Promise.resolve(block),
    head: () => Promise.resolve(head),
    done: () => undefined,
  };
}

/** Hidden states [rows, hidden] of a size that blocks give. */
export function statesInMemory(rows: number, hidden: number, seed: number): DeviceTensor {
  const rng = new Rng(seed);
  return DeviceTensor.fromHost(
    Float32Array.from({ length: rows * hidden }, () => rng.normal()),
    [rows, hidden],
  );
}

/** Vectors near 1, matrices with rows of length 1. Out of some 10 000 numbers, entered elsewhere each time: large models would take minutes. */
function normalPool(seed: number): (shape: readonly number[]) => Float32Array {
  const rng = new Rng(seed);
  const pool = Float32Array.from({ length: 10_007 }, () => rng.normal());
  let offset = 0;
  return (shape) => {
    const scale = shape.length === 2 ? 1 / Math.sqrt(shape[1]!) : 0.1;
    const shift = shape.length === 2 ? 0 : 1;
    offset += 7919;
    const values = new Float32Array(sizeOf(shape));
    for (let i = 0; i < values.length; i++) values[i] = shift + scale * pool[(offset + i) % pool.length]!;
    return values;
  };
}
