import type { BlockLayout } from '../families/family.ts';
import type { ElementType } from '../graph/elementType.ts';
import type { Graph } from '../graph/graph.ts';
import { GraphBuilder } from '../graph/graphBuilder.ts';
import { sizeOf } from '../graph/shape.ts';
import type { Device } from '../runtime/device.ts';
import { DeviceTensor } from '../runtime/deviceTensor.ts';
import type { Weights } from '../forward/blockWeights.ts';

/** Sequences next to each other in the batch. */
export interface Rows {
  readonly begin: number;
  readonly count: number;
}

/** Tokens of some sequences, as many of each: how many of them count, and at which position the first is. */
export interface Added {
  readonly rows: Rows;
  readonly tokens: number;
  readonly begins: readonly number[];
  readonly counts: readonly number[];
}

type Side = 'keys' | 'values';
const SIDES: readonly Side[] = ['keys', 'values'];

/** Tokens that the first cache has room for. */
const SMALLEST = 64;

/** Room for so many tokens: a power of two, so that few sizes of programs are compiled. */
export function capacityFor(tokens: number): number {
  return Math.max(SMALLEST, 2 ** Math.ceil(Math.log2(tokens)));
}

/** Bytes of the keys and values of `batch` sequences of so many tokens at most, while they are in use. */
export function cacheBytes(
  layouts: readonly BlockLayout[],
  headDim: number,
  { batch, tokens, type }: { readonly batch: number; readonly tokens: number; readonly type: ElementType },
): number {
  const heads = layouts.reduce((sum, { shape }) => sum + shape.kvHeads, 0);
  return SIDES.length * batch * heads * headDim * capacityFor(tokens) * (type === 'float16' ? 2 : 4);
}

/**
 * Keys (turned) and values of every block for the tokens that a batch of sequences has seen, each [batch, kvHeads, capacity, headDim]; a token's
 * are at its position. What no token has written to yet is garbage that masks have to hide. On the CPU these are arrays that new tokens are
 * copied into; on a device with memory of its own a program writes them.
 */
export class KeyValueCache {
  private readonly device: Device;
  private readonly layouts: readonly BlockLayout[];
  private readonly headDim: number;
  private readonly batch: number;
  private held = 0;
  private readonly blocks: Record<Side, DeviceTensor>[] = [];

  /** @param batch 1 on a device with memory of its own */
  constructor(device: Device, layouts: readonly BlockLayout[], headDim: number, batch: number) {
    if (device.resident && batch > 1) throw new RangeError('one sequence at a time on this device');
    this.device = device;
    this.layouts = layouts;
    this.headDim = headDim;
    this.batch = batch;
  }

  /** Tokens that each sequence has room for. */
  get capacity(): number {
    return this.held;
  }

  /** Makes room for so many tokens of each sequence. */
  async grow(tokens: number): Promise<void> {
    if (tokens <= this.held) return;
    const capacity = capacityFor(tokens);
    for (const [index, { shape }] of this.layouts.entries()) {
      if (shape.kvHeads === 0) continue;
      const before = this.blocks[index];
      const side = (name: Side): Promise<DeviceTensor> => this.enlarged(before?.[name], shape.kvHeads, capacity);
      this.blocks[index] = { keys: await side('keys'), values: await side('values') };
    }
    this.held = capacity;
  }

  /** What a block program takes in of some of the sequences. */
  past(index: number, { begin, count }: Rows): Weights {
    const block = this.blocks[index];
    if (!block) return {};
    const part = (tensor: DeviceTensor): DeviceTensor => {
      if (count === this.batch) return tensor;
      const [, ...rest] = tensor.shape;
      const size = sizeOf(rest);
      return DeviceTensor.fromHost(tensor.floats().subarray(begin * size, (begin + count) * size), [count, ...rest]);
    };
    return { 'past.keys': part(block.keys), 'past.values': part(block.values) };
  }

  /** Takes in the keys and values `new.keys` and `new.values` that a block program has made of tokens, and disposes of them. */
  async add(index: number, added: Added, outputs: Weights): Promise<void> {
    const block = this.blocks[index];
    if (!block) return;
    for (const side of SIDES) {
      const tensor = outputs[`new.${side}`]!;
      if (!this.device.resident) {
        copy(tensor, added, block[side]);
        continue;
      }
      const written = await this.written(block[side], tensor, added);
      block[side].dispose();
      tensor.dispose();
      block[side] = written;
    }
  }

  dispose(): void {
    this.blocks.forEach((block) => {
      for (const side of SIDES) block[side].dispose();
    });
    this.blocks.length = 0;
    this.held = 0;
  }

  private async enlarged(before: DeviceTensor | undefined, heads: number, capacity: number): Promise<DeviceTensor> {
    const { device, batch, headDim } = this;
    const shape = [batch, heads, capacity, headDim];
    if (!before) return device.zeros(shape, device.weightType);
    if (!device.resident) {
      const larger = DeviceTensor.empty(shape);
      const [from, to] = [this.held * headDim, capacity * headDim];
      for (let row = 0; row < batch * heads; row++) {
        larger.floats().set(before.floats().subarray(row * from, (row + 1) * from), row * to);
      }
      return larger;
    }
    const build = (): Graph => {
      const graph = new GraphBuilder();
      const old = graph.input('old', before.shape, before.type);
      const rest = [batch, heads, capacity - this.held, headDim];
      const zeros = graph.cast(graph.expand(graph.constant([0], [1, 1, 1, 1]), rest), before.type);
      graph.output('y', graph.concat([old, zeros], 2));
      return graph.build('larger cache');
    };
    const program = await device.program(`larger cache ${before.shape.join('×')} ${capacity} ${before.type}`, build, () => false); // prettier-ignore
    const { y } = await program.run({ old: before });
    before.dispose();
    return y!;
  }

  /** What is cached, with the new tokens in their places: a product with a matrix of ones there picks them out exactly. */
  private async written(
    cached: DeviceTensor,
    tensor: DeviceTensor,
    { tokens, begins, counts }: Added,
  ): Promise<DeviceTensor> {
    const { device, held: capacity } = this;
    const { type, shape } = cached;
    const build = (): Graph => {
      const graph = new GraphBuilder();
      const slots = graph.constant(
        Array.from({ length: capacity }, (_, slot) => slot),
        [1, 1, capacity, 1],
      );
      const ones = graph.cast(graph.equal(slots, graph.input('places', [1, 1, 1, tokens])), 'float32');
      const places = graph.cast(ones, type);
      const kept = graph.cast(graph.sub(graph.scalar(1), graph.reduceSum(ones, [3])), type);
      const [, heads, , dim] = shape as [number, number, number, number];
      const placed = graph.matMul(
        graph.expand(places, [1, heads, capacity, tokens]),
        graph.input('new', tensor.shape, type),
      );
      graph.output('y', graph.add(graph.mul(graph.input('cached', shape, type), graph.expand(kept, [1, heads, capacity, dim])), placed)); // prettier-ignore
      return graph.build('write cache');
    };
    const program = await device.program(`write cache ${shape.join('×')} ${tokens} ${type}`, build, () => false);
    // What fills up a run has no place.
    const places = Float32Array.from({ length: tokens }, (_, token) => (token < counts[0]! ? begins[0]! + token : -1));
    const { y } = await program.run({
      cached,
      new: tensor,
      places: DeviceTensor.fromHost(places, [1, 1, 1, tokens]),
    });
    return y!;
  }
}

/** Copies new tokens [count, heads, tokens, dim] to their places in the cache of all sequences. */
function copy(tensor: DeviceTensor, { rows, tokens, begins, counts }: Added, cached: DeviceTensor): void {
  const [, heads, capacity, dim] = cached.shape as [number, number, number, number];
  const [from, into] = [tensor.floats(), cached.floats()];
  for (let row = 0; row < rows.count; row++) {
    for (let head = 0; head < heads; head++) {
      const source = (row * heads + head) * tokens * dim;
      const place = (((rows.begin + row) * heads + head) * capacity + begins[row]!) * dim;
      into.set(from.subarray(source, source + counts[row]! * dim), place);
    }
  }
}
