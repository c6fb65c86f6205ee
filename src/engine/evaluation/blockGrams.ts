import type { Parameter } from '../families/family.ts';
import type { Weights } from '../forward/blockWeights.ts';
import type { Graph } from '../graph/graph.ts';
import { GraphBuilder } from '../graph/graphBuilder.ts';
import type { Device } from '../runtime/device.ts';
import { DeviceTensor } from '../runtime/deviceTensor.ts';
import type { ReusedArrays } from '../runtime/reusedArrays.ts';

/** H = Σ x xᵀ over the calibration tokens that reached one input of linear layers. */
interface InputGram {
  readonly size: number;
  sums: DeviceTensor;
  tokens: number;
  dispose(): void;
}

/**
 * H of one block's inputs of linear layers, added up on the device, batch after batch. Layers that read the same share it; experts have
 * that of their own tokens.
 *
 * Products and sums are float32: of 128 samples of 256 tokens the sums are 1.8e-7 off (‖ΔH‖ / ‖H‖), with float64 sums of the same
 * products 1.6e-7, and updates made with either differ by 1e-7 from those made with float64 throughout.
 */
export class BlockGrams {
  /** Names of the inputs. */
  readonly inputs: readonly string[];
  private readonly found: Map<string, InputGram>;
  /** On the CPU the next sums are written where those before the last were. */
  private readonly spare: Map<string, DeviceTensor>;

  private constructor(found: Map<string, InputGram>, spare: Map<string, DeviceTensor>) {
    this.inputs = [...found.keys()];
    this.found = found;
    this.spare = spare;
  }

  /**
   * @param layers of the block whose input's H is wanted
   * @param arrays that those of a block before may lie in: what is made with them is valid until the next block's are opened
   */
  static async open(device: Device, layers: readonly Parameter[], arrays: ReusedArrays): Promise<BlockGrams> {
    const found = new Map<string, InputGram>();
    const spare = new Map<string, DeviceTensor>();
    for (const layer of layers) {
      const input = inputOf(layer);
      const size = layer.shape[1]!;
      if (found.has(input)) continue;
      const place = (name: string): Float32Array => arrays.take(`${name} ${found.size}`, size * size);
      const host = (values: Float32Array): DeviceTensor => DeviceTensor.fromHost(values, [size, size]);
      const sums = device.resident ? await residentZeros(device, size) : host(place('sums').fill(0));
      if (!device.resident) spare.set(input, host(place('spare')));
      found.set(input, {
        size,
        sums,
        tokens: 0,
        dispose() {
          this.sums.dispose();
        },
      });
    }
    return new BlockGrams(found, spare);
  }

  /** Inputs of the block program that adds to the sums. */
  get sums(): Weights {
    return Object.fromEntries([...this.found].map(([input, { sums }]) => [`sum:${input}`, sums]));
  }

  /** Where the program may write its outputs. */
  get spares(): Weights {
    return Object.fromEntries([...this.spare].map(([input, tensor]) => [`gram:${input}`, tensor]));
  }

  /** Takes in the outputs of such a program. @param tokens that went through it: an expert has seen some of them */
  take(outputs: Weights, tokens: number): void {
    for (const [input, gram] of this.found) {
      if (this.spare.has(input)) this.spare.set(input, gram.sums);
      else gram.sums.dispose();
      gram.sums = outputs[`gram:${input}`]!;
      gram.tokens += outputs[`tokens:${input}`]?.floats().reduce((sum, count) => sum + count, 0) ?? tokens;
    }
  }

  /** H of the layer's input; undefined where it was not asked for. */
  of(layer: Parameter): InputGram | undefined {
    return this.found.get(inputOf(layer));
  }

  /** Gives up H of the layer's input: nobody asks for it any more. */
  free(layer: Parameter): void {
    this.of(layer)?.dispose();
    this.found.delete(inputOf(layer));
  }

  dispose(): void {
    for (const gram of this.found.values()) gram.dispose();
  }
}

/** Zeros [size, size] that never were in this process. */
async function residentZeros(device: Device, size: number): Promise<DeviceTensor> {
  const build = (): Graph => {
    const graph = new GraphBuilder();
    graph.output('y', graph.expand(graph.input('x', [1, 1]), [size, size]));
    return graph.build('zeros');
  };
  const program = await device.program(`zeros ${size}`, build, () => false);
  return (await program.run({ x: DeviceTensor.empty([1, 1]) }))['y']!;
}

/** Name of what a linear layer reads. */
export function inputOf({ name, input = name }: Pick<Parameter, 'name' | 'input'>): string {
  return input;
}
