import type { ElementType } from '../graph/elementType.ts';
import { type Shape, sizeOf } from '../graph/shape.ts';
import { loadOrt, type Tensor } from './ort.ts';

export type HostArray = Float32Array | Int32Array;

/**
 * A tensor that programs take and give. On the CPU it is an array of this process; on a GPU it may be a buffer there, which
 * nothing but {@link dispose} frees.
 */
export class DeviceTensor {
  readonly tensor: Tensor;
  readonly type: ElementType;
  readonly shape: Shape;

  constructor(tensor: Tensor, type: ElementType, shape: Shape) {
    this.tensor = tensor;
    this.type = type;
    this.shape = shape;
  }

  /** Shares the array: it must not change while the tensor is in use. */
  static fromHost(data: HostArray, shape: Shape): DeviceTensor {
    if (data.length !== sizeOf(shape)) throw new RangeError(`${data.length} elements for [${shape.join(', ')}]`);
    const { Tensor } = loadOrt();
    return data instanceof Int32Array
      ? new DeviceTensor(new Tensor('int32', data, shape), 'int32', shape)
      : new DeviceTensor(new Tensor('float32', data, shape), 'float32', shape);
  }

  /** A float32 tensor of this process. */
  static empty(shape: Shape): DeviceTensor {
    return DeviceTensor.fromHost(new Float32Array(sizeOf(shape)), shape);
  }

  /** Whether the elements are on the device and not in this process. */
  get resident(): boolean {
    return this.tensor.location !== 'cpu';
  }

  get bytes(): number {
    return BYTES[this.type] * sizeOf(this.shape);
  }

  /** The elements of a float32 tensor of this process. */
  floats(): Float32Array {
    return this.tensor.data as Float32Array;
  }

  /** Rows `begin` to `end` of a float32 matrix of this process; they share its elements. */
  rows(begin: number, end: number): DeviceTensor {
    const [, columns] = this.shape as [number, number];
    return DeviceTensor.fromHost(this.floats().subarray(begin * columns, end * columns), [end - begin, columns]);
  }

  dispose(): void {
    if (this.resident) this.tensor.dispose();
  }
}

/** Of an element. */
const BYTES: Readonly<Record<ElementType, number>> = { float32: 4, float16: 2, int32: 4, int64: 8, bool: 1 };
