import type { Checkpoint } from '../checkpoint/checkpoint.ts';
import { byteLength, type FloatType, isFloatType } from '../checkpoint/elementTypes.ts';
import { NARROW } from '../checkpoint/narrow.ts';
import { WIDEN } from '../checkpoint/widen.ts';

/** A checkpoint as if its weights were stored as float32: what is written of it loses nothing that is added to them. */
export function inFloat32(checkpoint: Checkpoint): Checkpoint {
  const tensors = new Map(
    [...checkpoint.tensors].map(([name, tensor]) => [
      name,
      isFloatType(tensor.dtype) ? { ...tensor, dtype: 'F32' as const } : tensor,
    ]),
  );
  return {
    ...checkpoint,
    values: { ...checkpoint.values, ...typeFields(checkpoint, 'float32') },
    tensors,
    readBytes(name, shape, first, into) {
      const dtype = checkpoint.tensors.get(name)?.dtype as FloatType;
      if (!isFloatType(dtype)) {
        checkpoint.readBytes(name, shape, first, into);
        return;
      }
      const values = new Float32Array(into.length / 4);
      const stored = new Uint8Array(byteLength(dtype, values.length)!);
      checkpoint.readBytes(name, shape, first, stored);
      WIDEN[dtype](stored, values, 0);
      into.set(NARROW.F32(values));
    },
  };
}

/** The field of config.json that says the type, under the name that it has there (`dtype` since transformers 5). */
export function typeFields({ values }: Pick<Checkpoint, 'values'>, type: string): Readonly<Record<string, unknown>> {
  return { ['dtype' in values ? 'dtype' : 'torch_dtype']: type };
}
