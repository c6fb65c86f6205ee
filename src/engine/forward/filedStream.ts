import type { BlockLayout } from '../families/family.ts';
import { sizeOf } from '../graph/shape.ts';
import { freeBuffer } from '../runtime/freeBuffer.ts';
import type { Weights } from './blockWeights.ts';
import { embed, type ForwardInputs } from './embed.ts';
import type { HiddenBatch } from './hiddenBatch.ts';
import { type AdvanceOptions, HiddenStream } from './hiddenStream.ts';
import type { Places } from './places.ts';
import { StatesFile } from './statesFile.ts';
import type { Step } from './step.ts';

/** Batches that are read and written together. */
interface Part {
  /** Of the file's values, where theirs begin. */
  readonly first: number;
  readonly batches: readonly Omit<HiddenBatch, 'x'>[];
  /** Of each batch's states: after the last block they may be fewer. */
  rows: readonly number[];
}

/** Bytes of a part, but for single batches that are larger. */
const PART = 2 ** 26;

/** Hidden states in a file: a part of them is in memory at a time. */
export class FiledStream {
  private readonly inputs: ForwardInputs;
  private readonly file: StatesFile;
  private readonly parts: readonly Part[];

  private constructor(inputs: ForwardInputs, file: StatesFile, parts: readonly Part[]) {
    this.inputs = inputs;
    this.file = file;
    this.parts = parts;
  }

  /**
   * @param folder where the file is to lie
   * @param places of each batch, where token t is not at position t
   * @throws EspalierError `io/write`
   */
  static async open(
    inputs: ForwardInputs,
    sequences: readonly Int32Array[],
    folder: string,
    places: readonly Places[],
    partBytes = PART,
  ): Promise<FiledStream> {
    const { batch } = inputs.programs;
    const { hidden } = inputs.checkpoint.config;
    const ofSequence = hidden * sequences[0]!.length;
    const size = Math.max(1, Math.floor(partBytes / (4 * ofSequence * batch)));
    const file = await StatesFile.open(folder);
    const parts: Part[] = [];
    const stream = new FiledStream(inputs, file, parts);
    try {
      for (let begin = 0; begin < Math.ceil(sequences.length / batch); begin += size) {
        const own = sequences.slice(begin * batch, (begin + size) * batch);
        const embedded = await embed(inputs, own, places.slice(begin, begin + size));
        const part: Part = {
          first: begin * batch * ofSequence,
          batches: embedded.batches.map(withoutStates),
          rows: [],
        };
        parts.push(part);
        await stream.keep(part, embedded.batches);
        free(embedded.batches);
      }
      return stream;
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  get steps(): number {
    return this.parts.reduce((sum, { batches }) => sum + batches.length, 0);
  }

  async each(use: (part: HiddenStream) => Promise<void>): Promise<void> {
    for (const part of this.parts) {
      const loaded = await this.load(part);
      const stream = new HiddenStream(
        this.inputs.device,
        this.inputs.programs,
        loaded.map((batch) => ({ ...batch })),
      );
      try {
        await use(stream);
        if (stream.batches.some(({ x }, i) => x !== loaded[i]!.x)) await this.keep(part, stream.batches);
      } finally {
        free([...loaded, ...stream.batches]);
      }
    }
  }

  advance(layout: BlockLayout, block: Weights, step: Step, detail: string, options?: AdvanceOptions): Promise<void> {
    return this.each((part) => part.advance(layout, block, step, detail, options));
  }

  dispose(): Promise<void> {
    return this.file.close();
  }

  private async load({ first, batches, rows }: Part): Promise<HiddenBatch[]> {
    const { device, checkpoint } = this.inputs;
    const { hidden } = checkpoint.config;
    const loaded: HiddenBatch[] = [];
    let at = first;
    for (const [index, batch] of batches.entries()) {
      const shape = [rows[index]!, hidden] as const;
      const values = new Float32Array(sizeOf(shape));
      await this.file.read(at, values);
      at += values.length;
      loaded.push({ ...batch, x: await device.upload(values, shape, 'float32') });
    }
    return loaded;
  }

  private async keep(part: Part, batches: readonly HiddenBatch[]): Promise<void> {
    part.rows = batches.map(({ x }) => x.shape[0]!);
    let at = part.first;
    for (const { x } of batches) {
      await this.file.write(at, await this.inputs.device.download(x));
      at += sizeOf(x.shape);
    }
  }
}

function withoutStates({ batch, ids, places }: HiddenBatch): Omit<HiddenBatch, 'x'> {
  return { batch, ids, places };
}

/** Frees their states at once, on the device or in memory: the next part takes as much again. */
function free(batches: readonly HiddenBatch[]): void {
  for (const x of new Set(batches.map((batch) => batch.x))) {
    if (!x.resident) freeBuffer(x.floats());
    x.dispose();
  }
}
