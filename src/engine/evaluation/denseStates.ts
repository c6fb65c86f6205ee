import type { Checkpoint } from '../checkpoint/checkpoint.ts';
import type { BlockWeights } from '../forward/blockWeights.ts';
import { embed } from '../forward/embed.ts';
import type { HiddenBatch } from '../forward/hiddenBatch.ts';
import type { HiddenStream } from '../forward/hiddenStream.ts';
import type { ModelPrograms } from '../forward/modelPrograms.ts';
import type { Step } from '../forward/step.ts';
import type { Device } from '../runtime/device.ts';
import { DeviceTensor } from '../runtime/deviceTensor.ts';
import { availableMemory } from '../runtime/memory.ts';

/** The dense model, and the sequences that it is asked about: of what a sweep works on. */
interface DenseInputs {
  readonly checkpoint: Checkpoint;
  readonly device: Device;
  readonly weights: Pick<BlockWeights, 'layouts' | 'block' | 'done'>;
  readonly programs: ModelPrograms;
  readonly evaluation: readonly Int32Array[];
}

/** Share of the available memory for states that are kept from one measuring to the next. */
const KEPT_SHARE = 0.2;

/** Bytes of them that stay on a device with memory of its own. How much it has the runtime does not say. */
const THERE = 2 ** 32;

/**
 * The dense model's states after its last block: what its next-token distributions are made of again where candidates are compared with
 * them. Of a token that is `hidden` numbers and not as many as the vocabulary has words; the logits that come of them are the dense model's
 * own, so nothing is approximated. Sequences are known by their arrays.
 */
export class DenseStates {
  /** Of the fitness text, where they have room. */
  private readonly kept = new Map<Int32Array, Float32Array>();
  /** Of the sequences of one measuring. */
  private readonly passing = new Map<Int32Array, Float32Array>();
  /** Of batches, on a device with memory of its own, by their first sequence. */
  private readonly there = new Map<
    Int32Array,
    { readonly ids: readonly Int32Array[]; readonly states: DeviceTensor }
  >();
  private thereBytes = 0;

  /** Keeps those of a stream that has come through all blocks, unless they are too large: then they are found out again when needed. */
  async keep({ device, checkpoint, evaluation }: DenseInputs, stream: HiddenStream): Promise<void> {
    const tokens = evaluation.reduce((sum, { length }) => sum + length, 0);
    if (4 * tokens * checkpoint.config.hidden > KEPT_SHARE * availableMemory()) return;
    await collect(device, stream, this.kept);
  }

  /** Has those of the evaluation's sequences at hand, until {@link forget}: what is not kept is computed. */
  async provide(inputs: DenseInputs, step: Step): Promise<void> {
    const missing = inputs.evaluation.filter((ids) => !this.kept.has(ids));
    if (missing.length === 0) return;
    const stream = await embed(inputs, missing);
    try {
      for (const [index, layout] of inputs.weights.layouts.entries()) {
        const block = await inputs.weights.block(index);
        try {
          await stream.advance(layout, block, step, 'dense');
        } finally {
          inputs.weights.done(block);
        }
      }
      await collect(inputs.device, stream, this.passing);
    } finally {
      stream.dispose();
    }
  }

  /** Of the sequences of a batch: [batch · tokens, hidden]. Not the caller's to dispose of. */
  async of(device: Device, { ids, x }: HiddenBatch): Promise<DeviceTensor> {
    const found = this.there.get(ids[0]!);
    if (found?.ids.length === ids.length && ids.every((sequence, i) => sequence === found.ids[i])) return found.states;
    const parts = ids.map((sequence) => (this.kept.get(sequence) ?? this.passing.get(sequence))!);
    const joined = new Float32Array(parts.length * parts[0]!.length);
    for (const [i, part] of parts.entries()) joined.set(part, i * part.length);
    const stays = device.resident && ids.every((sequence) => this.kept.has(sequence));
    if (!stays || found || this.thereBytes + joined.byteLength > THERE) return DeviceTensor.fromHost(joined, x.shape);
    const states = await device.upload(joined, x.shape, 'float32');
    this.thereBytes += states.bytes;
    this.there.set(ids[0]!, { ids, states });
    return states;
  }

  forget(): void {
    this.passing.clear();
  }

  dispose(): void {
    for (const { states } of this.there.values()) states.dispose();
    this.there.clear();
    this.thereBytes = 0;
  }
}

async function collect(device: Device, { batches }: HiddenStream, into: Map<Int32Array, Float32Array>): Promise<void> {
  for (const { ids, x } of batches) {
    const states = await device.download(x);
    const size = states.length / ids.length;
    // A copy of each: the stream's buffers are written to again.
    for (const [i, sequence] of ids.entries()) into.set(sequence, states.slice(i * size, (i + 1) * size));
  }
}
