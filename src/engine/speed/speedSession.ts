import { storedParts } from '../checkpoint/modelTensor.ts';
import { Rng } from '../../base/rng.ts';
import type { SpeedRequest, SpeedRound, SpeedSubject } from '../../experiment/exportSchema.ts';
import { throwIfCancelled } from '../../base/errors.ts';
import { embed } from '../forward/embed.ts';
import { CachedForward } from '../generation/cachedForward.ts';
import type { LoadedModel, LoadedModels } from '../forward/loadedModels.ts';
import { headLogits } from '../forward/logits.ts';
import { modelLength, requireLength } from '../forward/modelLength.ts';
import { ModelPrograms } from '../forward/modelPrograms.ts';
import { Stopwatch } from '../forward/stopwatch.ts';
import { sizeOf } from '../graph/shape.ts';
import { allParameters } from '../families/families.ts';
import type { Device } from '../runtime/device.ts';
import { peakMemory } from '../runtime/memory.ts';
import type { OpenDevices } from '../runtime/openDevices.ts';

/** Tokens that follow in each sequence. */
const DECODED = 16;

/**
 * One checkpoint loaded to be measured: prefill of a batch of random tokens, that is every token through the blocks and the head for
 * the last token of each sequence. Looking tokens up in the embedding, which no pruning changes, is left out. Then decode: some tokens more, one
 * after the other, as `generate` makes them, with weights that have no room in memory read from the disk for each.
 */
export class SpeedSession {
  private readonly model: LoadedModel;
  private readonly device: Device;
  private readonly programs: ModelPrograms;
  private readonly sequences: readonly Int32Array[];
  /** With the sequences, as far as there is a place behind them; filled in the first round. */
  private readonly decoding: CachedForward;

  private constructor(model: LoadedModel, device: Device, programs: ModelPrograms, sequences: readonly Int32Array[]) {
    this.model = model;
    this.device = device;
    this.programs = programs;
    this.sequences = sequences;
    this.decoding = new CachedForward({ ...model, device }, device.resident ? 1 : sequences.length);
  }

  static async open(
    { model: folder, batch, length, settings }: SpeedRequest,
    signal: AbortSignal | undefined,
    { devices, models }: { readonly devices: OpenDevices; readonly models: LoadedModels },
  ): Promise<SpeedSession> {
    const device = await devices.device(settings);
    const model = await models.load(folder, device, signal);
    const { config } = model.checkpoint;
    requireLength(config, length);
    const programs = await ModelPrograms.create(config, device, length);
    const rng = new Rng(0);
    const tokens = () => Int32Array.from({ length }, () => rng.integer(config.vocabulary));
    return new SpeedSession(model, device, programs, Array.from({ length: batch }, tokens));
  }

  get subject(): SpeedSubject {
    const { tensors, config } = this.model.checkpoint;
    const parameters = allParameters(config);
    const stored = parameters.flatMap(({ tensor }) => storedParts(tensors.get(tensor)!));
    return {
      parameters: parameters.reduce((sum, { shape }) => sum + sizeOf(shape), 0),
      bytes: stored.reduce((sum, { begin, end }) => sum + end - begin, 0),
      modelLength: modelLength(config),
    };
  }

  /** One pass; the first also reads the weights and compiles. */
  async round(signal: AbortSignal | undefined): Promise<SpeedRound> {
    const { device, programs, model } = this;
    const { checkpoint, weights } = model;
    const { hidden } = checkpoint.config;
    const stream = await embed({ checkpoint, device, programs }, this.sequences);
    // Weights that have no room to stay are read again in every pass: that is the disk's speed, and not the model's.
    const computing = new Stopwatch(() => performance.now() / 1000);
    try {
      for (const [index, layout] of weights.layouts.entries()) {
        const block = await weights.block(index);
        await computing.time(() => stream.advance(layout, block, () => yieldTo(signal), ''));
        weights.done(block);
      }
      const head = await weights.head();
      await computing.time(async () => {
        for (const { ids, x } of stream.batches) {
          const states = await device.download(x);
          const { length } = ids[0]!;
          const last = new Float32Array(ids.length * hidden);
          for (const row of ids.keys()) {
            last.set(states.subarray(((row + 1) * length - 1) * hidden, (row + 1) * length * hidden), row * hidden);
          }
          await headLogits(checkpoint.config, device, last, head);
        }
      });
      weights.done(head);
    } finally {
      stream.dispose();
    }
    const decode = await this.decode(signal);
    return { seconds: computing.seconds, decode, peakMemory: peakMemory() };
  }

  /** What follows is random, too. */
  private async decode(signal: AbortSignal | undefined): Promise<SpeedRound['decode']> {
    const { config } = this.model.checkpoint;
    const { lengths } = this.decoding;
    const batch = lengths.length;
    const tokens = Math.max(1, Math.min(DECODED, modelLength(config) - 1));
    const before = Math.max(1, Math.min(this.sequences[0]!.length, modelLength(config) - tokens));
    const step = (): Promise<void> => yieldTo(signal);
    if (lengths[0] === 0) {
      await this.decoding.feed(
        this.sequences.slice(0, batch).map((ids) => ids.subarray(0, before)),
        step,
      );
    }
    const rng = new Rng(1);
    const next = (): Int32Array[] => lengths.map(() => Int32Array.of(rng.integer(config.vocabulary)));
    for (const row of lengths.keys()) this.decoding.cut(row, before);
    const begin = performance.now();
    for (let token = 0; token < tokens; token++) await this.decoding.feed(next(), step);
    return { seconds: (performance.now() - begin) / 1000, tokens: tokens * batch, batch };
  }

  dispose(): void {
    this.decoding.dispose();
    this.programs.dispose();
  }
}

/** Cancellation arrives with the messages that the process then looks at. */
async function yieldTo(signal: AbortSignal | undefined): Promise<void> {
  await new Promise(setImmediate);
  throwIfCancelled(signal, 'measuring the speed');
}
