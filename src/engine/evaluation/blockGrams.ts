import type { Gram } from '../algebra/gram.ts';
import { wholeGram } from '../algebra/wholeGram.ts';
import type { Parameter } from '../families/family.ts';
import type { Weights } from '../forward/blockWeights.ts';
import { stripShapes } from '../graph/gramStrips.ts';
import { type Shape, sizeOf } from '../graph/shape.ts';
import type { Device } from '../runtime/device.ts';
import { DeviceTensor } from '../runtime/deviceTensor.ts';
import type { ReusedArrays } from '../runtime/reusedArrays.ts';

/** H of one input of linear layers while it is added up, and as soon as it is asked for. */
interface InputGram {
  readonly size: number;
  /** Strips of H, see {@link stripShapes}. */
  strips: readonly DeviceTensor[];
  /** On the CPU the next sums are written where those before the last were. */
  spares: readonly DeviceTensor[];
  tokens: number;
  whole?: Gram;
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
  private readonly device: Device;
  private readonly found: Map<string, InputGram>;

  private constructor(device: Device, found: Map<string, InputGram>) {
    this.inputs = [...found.keys()];
    this.device = device;
    this.found = found;
  }

  /**
   * @param layers of the block whose input's H is wanted
   * @param arrays that the sums of a block before may lie in
   */
  static async open(device: Device, layers: readonly Parameter[], arrays: ReusedArrays): Promise<BlockGrams> {
    const found = new Map<string, InputGram>();
    for (const layer of layers) {
      const input = inputOf(layer);
      const size = layer.shape[1]!;
      if (found.has(input)) continue;
      const shapes = stripShapes(size);
      const place = (name: string): DeviceTensor[] =>
        shapes.map((shape, i) =>
          DeviceTensor.fromHost(arrays.take(`${name} ${found.size} ${i}`, sizeOf(shape)).fill(0), shape),
        );
      const strips = device.resident ? await zeros(device, shapes) : place('sums');
      found.set(input, { size, strips, spares: device.resident ? [] : place('spare'), tokens: 0 });
    }
    return new BlockGrams(device, found);
  }

  /** Inputs of the block program that adds to the sums. */
  get sums(): Weights {
    return this.named('sum', ({ strips }) => strips);
  }

  /** Where the program may write its outputs. */
  get spares(): Weights {
    return this.named('gram', ({ spares }) => spares);
  }

  /** Takes in the outputs of such a program. @param tokens that went through it: an expert has seen some of them */
  take(outputs: Weights, tokens: number): void {
    for (const [input, gram] of this.found) {
      if (gram.spares.length > 0) gram.spares = gram.strips;
      else for (const strip of gram.strips) strip.dispose();
      gram.strips = gram.strips.map((_, i) => outputs[`gram:${input}:${i}`]!);
      gram.tokens += outputs[`tokens:${input}`]?.floats().reduce((sum, count) => sum + count, 0) ?? tokens;
    }
  }

  /** H of the layer's input, which was asked for; nothing is added to it afterwards. */
  async of(layer: Parameter): Promise<Gram> {
    const gram = this.found.get(inputOf(layer))!;
    gram.whole ??= await this.wholeOf(gram);
    return gram.whole;
  }

  /** Gives up H of the layer's input: nobody asks for it any more. */
  free(layer: Parameter): void {
    const input = inputOf(layer);
    const gram = this.found.get(input);
    if (gram) disposeGram(gram);
    this.found.delete(input);
  }

  dispose(): void {
    for (const gram of this.found.values()) disposeGram(gram);
  }

  private named(kind: string, of: (gram: InputGram) => readonly DeviceTensor[]): Weights {
    return Object.fromEntries(
      [...this.found].flatMap(([input, gram]) => of(gram).map((strip, i) => [`${kind}:${input}:${i}`, strip] as const)),
    );
  }

  private async wholeOf({ size, strips, tokens }: InputGram): Promise<Gram> {
    const sums = await wholeGram(this.device, size, strips);
    return {
      size,
      sums,
      tokens,
      dispose: () => {
        sums.dispose();
      },
    };
  }
}

function disposeGram({ strips, whole }: InputGram): void {
  for (const strip of strips) strip.dispose();
  whole?.dispose();
}

async function zeros(device: Device, shapes: readonly Shape[]): Promise<DeviceTensor[]> {
  const made: DeviceTensor[] = [];
  for (const shape of shapes) made.push(await device.zeros(shape));
  return made;
}

/** Name of what a linear layer reads. */
export function inputOf({ name, input = name }: Pick<Parameter, 'name' | 'input'>): string {
  return input;
}
