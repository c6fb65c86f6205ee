import type { Parameter } from '../families/family.ts';
import type { Weights } from '../forward/blockWeights.ts';
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
      const zeros = (place: string): DeviceTensor =>
        DeviceTensor.fromHost(arrays.take(`${place} ${found.size}`, size * size).fill(0), [size, size]);
      const sums = device.resident
        ? await device.upload(new Float32Array(size * size), [size, size], 'float32')
        : zeros('sums');
      if (!device.resident) spare.set(input, zeros('spare'));
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

/** Name of what a linear layer reads. */
export function inputOf({ name, input = name }: Pick<Parameter, 'name' | 'input'>): string {
  return input;
}
