import type { ModelTensors } from '../checkpoint/checkpoint.ts';
import { readParameter } from '../checkpoint/readParameter.ts';
import type { ElementType } from '../graph/elementType.ts';
import { sizeOf } from '../graph/shape.ts';
import { parameterType } from '../models/blockGraph.ts';
import type { BlockLayout, Parameter } from '../families/family.ts';
import { familyOf } from '../families/families.ts';
import type { Device } from '../runtime/device.ts';
import type { DeviceTensor } from '../runtime/deviceTensor.ts';
import { ReusedArrays } from '../runtime/reusedArrays.ts';

export type Weights = Readonly<Record<string, DeviceTensor>>;

/** `again`: from the second reading on, since a model that is gone through once is not worth holding as a whole. */
export type Keep = boolean | 'again';

/**
 * The weights of a checkpoint on a device. Blocks are kept there, where the whole model has room; else each is read
 * again at every visit, into the same arrays, so that one block is all that is ever held.
 */
export class BlockWeights {
  readonly layouts: readonly BlockLayout[];
  private readonly checkpoint: ModelTensors;
  private readonly device: Device;
  private readonly keep: Keep;
  private readonly kept = new Map<string, Weights>();
  /** What was read at least once. */
  private readonly read = new Set<string>();
  private readonly arrays = new ReusedArrays();
  /** Of each block read so far: the weights of its linear layers, and how many of them are zero in the checkpoint. */
  private readonly counts: { weights: number; zeros: number }[] = [];

  /** @param keep anything but false only where the whole model has room in memory */
  constructor(checkpoint: ModelTensors, device: Device, keep: Keep) {
    this.checkpoint = checkpoint;
    this.device = device;
    this.keep = keep;
    const family = familyOf(checkpoint.config);
    this.layouts = checkpoint.config.windows.map((_, index) => family.block(checkpoint.config, index));
  }

  /** Whether the whole model comes to stay in memory. */
  get keeps(): boolean {
    return this.keep !== false;
  }

  /** The weights of block `index`, valid until {@link done} is called with the same. */
  block(index: number): Promise<Weights> {
    const { weightType } = this.device;
    const counts = { weights: 0, zeros: 0 };
    const count = ({ linear }: Parameter, data: Float32Array): void => {
      if (!linear) return;
      counts.weights += data.length;
      counts.zeros += zerosIn(data);
      this.counts[index] = counts;
    };
    const type = (parameter: Parameter): ElementType => parameterType(parameter, weightType);
    return this.load(`block ${index}`, this.layouts[index]!.parameters, type, this.counts[index] ? undefined : count);
  }

  /** Share of the linear layers' weights that are zero in the checkpoint; of the blocks that were read so far. */
  get zeroShare(): number {
    const total = (of: 'weights' | 'zeros'): number => this.counts.reduce((sum, block) => sum + block[of], 0);
    return total('weights') > 0 ? total('zeros') / total('weights') : 0;
  }

  /** Parameters of the head program, the matrix under `head`. */
  head(): Promise<Weights> {
    const { parameters, weight } = familyOf(this.checkpoint.config).head(this.checkpoint.config);
    const { weightType } = this.device;
    return this.load('head', [...parameters, weight], (parameter) => (parameter === weight ? weightType : 'float32'));
  }

  /** Says that tensors which {@link block} or {@link head} gave are not used any more. */
  done(weights: Weights): void {
    if (this.keep === true || [...this.kept.values()].includes(weights)) return;
    for (const tensor of Object.values(weights)) tensor.dispose();
  }

  dispose(): void {
    for (const weights of this.kept.values()) for (const tensor of Object.values(weights)) tensor.dispose();
    this.kept.clear();
    this.read.clear();
    this.arrays.clear();
  }

  private async load(
    key: string,
    parameters: readonly Parameter[],
    type: (parameter: Parameter) => ElementType,
    look?: (parameter: Parameter, data: Float32Array) => void,
  ): Promise<Weights> {
    const kept = this.kept.get(key);
    if (kept) return kept;
    const keeps = this.keep === 'again' ? this.read.has(key) : this.keep;
    this.read.add(key);
    // What the first readings left there is not read into again.
    if (keeps) this.arrays.clear();
    const weights: Record<string, DeviceTensor> = {};
    for (const parameter of parameters) {
      const data = readParameter(this.checkpoint, parameter, this.array(parameter, keeps));
      look?.(parameter, data);
      weights[parameter.name] = await this.device.upload(data, parameter.shape, type(parameter));
    }
    if (keeps) this.kept.set(key, weights);
    return weights;
  }

  /** Where a parameter is read to. On a device with memory of its own the array is free again after the upload. */
  private array({ name, shape }: Parameter, keeps: boolean): Float32Array {
    const { resident } = this.device;
    if (keeps && !resident) return new Float32Array(sizeOf(shape));
    return this.arrays.take(resident ? '' : name, sizeOf(shape));
  }
}

function zerosIn(data: Float32Array): number {
  let zeros = 0;
  for (const value of data) if (value === 0) zeros++;
  return zeros;
}
