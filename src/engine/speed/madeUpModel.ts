import { Rng } from '../../base/rng.ts';
import type { ModelTensors } from '../checkpoint/checkpoint.ts';
import type { ModelConfig } from '../families/families.ts';
import { familyOf } from '../families/families.ts';
import type { BlockLayout, Parameter } from '../families/family.ts';
import type { Weights } from '../forward/blockWeights.ts';
import type { BlockSource } from '../forward/logits.ts';
import type { ElementType } from '../graph/elementType.ts';
import { sizeOf } from '../graph/shape.ts';
import { parameterType } from '../models/blockGraph.ts';
import type { Device } from '../runtime/device.ts';

/** Elements of which weights are parts, unless one block needs more: 256 MB as float32, many times what a processor's caches hold. */
const POOL = 1 << 26;
/** Numbers that are drawn; a prime, so that no two rows of a matrix are alike. */
const DRAWN = 1_000_003;

/**
 * A model of random weights, for measurements of what depends on shapes alone. Its blocks follow each other in a pool of numbers, from whose end on
 * they come from its beginning again: no block finds the weights of the one before it in a cache, as in a model of their total size.
 */
export class MadeUpModel implements BlockSource {
  readonly layouts: readonly BlockLayout[];
  readonly checkpoint: ModelTensors;
  readonly device: Device;
  private readonly pool: Float32Array;
  private readonly blocks = new Map<number | 'head', Weights>();
  private taken = 0;

  constructor(config: ModelConfig, device: Device) {
    this.device = device;
    const family = familyOf(config);
    this.layouts = config.windows.map((_, index) => family.block(config, index));
    const sizes = this.layouts.map(({ parameters }) => parameters.reduce((sum, { shape }) => sum + sizeOf(shape), 0));
    const head = config.vocabulary * config.hidden;
    const total = sizes.reduce((sum, size) => sum + size, head);
    this.pool = pool(Math.max(head, ...sizes, Math.min(total, POOL)), 1 / Math.sqrt(config.hidden));
    this.checkpoint = {
      config,
      read: (_, shape, into) => this.read(sizeOf(shape), into),
      readRows: (_, shape, __, count, into) => this.read(count * shape[1], into),
    };
  }

  get weights(): BlockSource {
    return this;
  }

  async block(index: number): Promise<Weights> {
    const { weightType } = this.device;
    const type = (parameter: Parameter): ElementType => parameterType(parameter, weightType);
    return this.made(index, this.layouts[index]!.parameters, type);
  }

  async head(): Promise<Weights> {
    const { parameters, weight } = familyOf(this.checkpoint.config).head(this.checkpoint.config);
    const { weightType } = this.device;
    return this.made('head', [...parameters, weight], (parameter) => (parameter === weight ? weightType : 'float32'));
  }

  done(): void {
    // All stay where they are.
  }

  dispose(): void {
    for (const weights of this.blocks.values()) for (const tensor of Object.values(weights)) tensor.dispose();
    this.blocks.clear();
  }

  private async made(
    which: number | 'head',
    parameters: readonly Parameter[],
    type: (parameter: Parameter) => ElementType,
  ): Promise<Weights> {
    const known = this.blocks.get(which);
    if (known) return known;
    const weights: Record<string, Weights[string]> = {};
    for (const parameter of parameters) {
      const { name, shape } = parameter;
      weights[name] = await this.device.upload(this.take(sizeOf(shape)), shape, type(parameter));
    }
    this.blocks.set(which, weights);
    return weights;
  }

  private read(count: number, into: Float32Array | undefined): Float32Array {
    if (!into) return this.take(count);
    into.set(this.take(count));
    return into;
  }

  private take(count: number): Float32Array {
    if (this.taken + count > this.pool.length) this.taken = 0;
    const begin = this.taken;
    this.taken += count;
    return this.pool.subarray(begin, begin + count);
  }
}

function pool(length: number, scale: number): Float32Array {
  const numbers = new Float32Array(length);
  const rng = new Rng(0);
  const drawn = Math.min(DRAWN, length);
  for (let i = 0; i < drawn; i++) numbers[i] = rng.normal() * scale;
  for (let filled = drawn; filled < length; filled += drawn) {
    numbers.copyWithin(filled, 0, Math.min(drawn, length - filled));
  }
  return numbers;
}
