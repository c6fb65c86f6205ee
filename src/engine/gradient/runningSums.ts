import type { Parameter } from '../families/family.ts';
import { sizeOf } from '../graph/shape.ts';
import { DeviceTensor } from '../runtime/deviceTensor.ts';
import { gradientStrips } from './gradientStrips.ts';
import type { TensorPool } from './tensorPool.ts';

type Tensors = Readonly<Record<string, DeviceTensor>>;

export interface RunningSumsOptions {
  /** Most rows of a strip (see `gradientStrips`), as the programs have it that add to the sums. */
  readonly rows: number;
  /** Whether there is more than one batch, so that programs take in what those before have added up. */
  readonly accumulate: boolean;
}

/**
 * The gradients of a set of parameters while they are added up over the batches. On the CPU there is one array for each parameter, and programs
 * read and write the strips of it in place; on a device with memory of its own each batch gives new tensors for the old.
 */
export class RunningSums {
  private readonly pool: TensorPool;
  private readonly accumulate: boolean;
  /** By parameter. */
  private whole: Tensors;
  /** By strip, where they are parts of `whole`. */
  private readonly strips: Tensors | undefined;

  private constructor(pool: TensorPool, accumulate: boolean, whole: Tensors, strips: Tensors | undefined) {
    this.pool = pool;
    this.accumulate = accumulate;
    this.whole = whole;
    this.strips = strips;
  }

  static async start(
    pool: TensorPool,
    parameters: readonly Pick<Parameter, 'name' | 'shape'>[],
    { rows, accumulate }: RunningSumsOptions,
  ): Promise<RunningSums> {
    if (pool.resident) {
      const zeros: Record<string, DeviceTensor> = {};
      for (const { name, shape } of parameters) if (accumulate) zeros[name] = await pool.zero(shape);
      return new RunningSums(pool, accumulate, zeros, undefined);
    }
    const whole = pool.outputs(Object.fromEntries(parameters.map(({ name, shape }) => [name, shape])));
    if (accumulate) for (const sum of Object.values(whole)) sum.floats().fill(0);
    const strips = parameters.flatMap((parameter) =>
      gradientStrips(parameter, rows).map(({ name, begin, end }) => {
        const [, ...rest] = parameter.shape;
        const [row, shape] = [sizeOf(rest), [end - begin, ...rest]];
        const part = whole[parameter.name]!.floats().subarray(begin * row, end * row);
        return [name, DeviceTensor.fromHost(part, shape)] as const;
      }),
    );
    return new RunningSums(pool, accumulate, whole, Object.fromEntries(strips));
  }

  /** By the parameters' names. */
  get current(): Tensors {
    return this.whole;
  }

  /** Inputs of a program that adds to the sums; none where there is one batch alone. */
  inputs(): Tensors {
    return this.accumulate ? prefixed('sum:', this.strips ?? this.whole) : {};
  }

  /** Where the program is to put its outputs: the CPU's in the place of its {@link inputs}. */
  outputs(): Tensors {
    return prefixed('d:', this.strips ?? {});
  }

  /** Takes what a program has made. */
  replace(outputs: Tensors): void {
    if (this.strips) return;
    this.release();
    const found = Object.entries(outputs).filter(([name]) => name.startsWith('d:'));
    this.whole = Object.fromEntries(found.map(([name, tensor]) => [name.slice(2), tensor]));
  }

  release(): void {
    for (const sum of Object.values(this.whole)) this.pool.give(sum);
  }
}

function prefixed(prefix: string, tensors: Tensors): Tensors {
  return Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [`${prefix}${name}`, tensor]));
}
