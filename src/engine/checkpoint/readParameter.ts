import { type Parameter, storedShape } from '../families/family.ts';
import type { ModelTensors } from './checkpoint.ts';

/**
 * A parameter as float32, row-major in its own shape: a matrix that is stored [in, out] comes as [out, in].
 *
 * @param into where to put it (as many elements as the shape has); a new array otherwise
 * @throws EspalierError as {@link ModelTensors.read}
 */
export function readParameter(
  tensors: Pick<ModelTensors, 'read'>,
  parameter: Pick<Parameter, 'tensor' | 'shape' | 'transposed'>,
  into?: Float32Array,
): Float32Array {
  if (!parameter.transposed) return tensors.read(parameter.tensor, parameter.shape, into);
  const stored = tensors.read(parameter.tensor, storedShape(parameter));
  const [rows, columns] = parameter.shape as [number, number];
  const values = into ?? new Float32Array(stored.length);
  for (let column = 0, at = 0; column < columns; column++) {
    for (let row = 0; row < rows; row++, at++) values[row * columns + column] = stored[at]!;
  }
  return values;
}
