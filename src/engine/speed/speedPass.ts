import { throwIfCancelled } from '../../base/errors.ts';
import { Rng } from '../../base/rng.ts';
import type { Time } from '../../experiment/costSchema.ts';
import { embed } from '../forward/embed.ts';
import type { BlockSource } from '../forward/logits.ts';
import { headLogits } from '../forward/logits.ts';
import { modelLength } from '../forward/modelLength.ts';
import { ModelPrograms } from '../forward/modelPrograms.ts';
import { Stopwatch } from '../forward/stopwatch.ts';
import { CachedForward, type CachedModel } from '../generation/cachedForward.ts';

/** Tokens that follow in each sequence. */
const DECODED = 16;

/** Seconds, from any start. */
export type Clock = () => number;

/** What one pass took, in seconds. */
export interface PassTimes {
  /** Of each block: all tokens of the batch; one more token in each sequence that is decoded. */
  readonly blocks: readonly Time[];
  /** What is outside the blocks. */
  readonly outside: Time;
  /** Tokens that followed in each sequence, and sequences. */
  readonly decode: { readonly tokens: number; readonly batch: number };
}

/**
 * What a speed is measured on: prefill of a batch of random tokens, that is every token through the blocks and the head for
 * the last token of each sequence. Looking tokens up in the embedding, which no pruning changes, is left out. Then decode: some tokens more, one
 * after the other, as `generate` makes them, with weights that have no room in memory read from the disk for each.
 */
export class SpeedPass {
  private readonly model: CachedModel;
  private readonly programs: ModelPrograms;
  private readonly sequences: readonly Int32Array[];
  /** With the sequences, as far as there is a place behind them; filled in the first round. */
  private readonly decoding: CachedForward;
  /** Seconds of each block in decode, added up while it runs. */
  private readonly watches: readonly Stopwatch[];

  private readonly now: Clock;

  private constructor(model: CachedModel, programs: ModelPrograms, sequences: readonly Int32Array[], now: Clock) {
    this.model = model;
    this.programs = programs;
    this.sequences = sequences;
    this.now = now;
    this.watches = model.weights.layouts.map(() => new Stopwatch(now));
    this.decoding = new CachedForward(
      { ...model, weights: timed(model.weights, this.watches, now) },
      model.device.resident ? 1 : sequences.length,
    );
  }

  /** @param length tokens of each of `batch` sequences */
  static async open(model: CachedModel, batch: number, length: number, now: Clock = wall): Promise<SpeedPass> {
    const { config } = model.checkpoint;
    const programs = await ModelPrograms.create(config, model.device, length);
    const rng = new Rng(0);
    const tokens = () => Int32Array.from({ length }, () => rng.integer(config.vocabulary));
    return new SpeedPass(model, programs, Array.from({ length: batch }, tokens), now);
  }

  /** One pass; the first also reads the weights and compiles. */
  async run(signal: AbortSignal | undefined): Promise<PassTimes> {
    const prefill = await this.prefill(signal);
    const decode = await this.decode(signal);
    return {
      blocks: prefill.blocks.map((seconds, index) => ({ prefill: seconds, decode: decode.blocks[index]! })),
      outside: { prefill: prefill.outside, decode: decode.outside },
      decode: { tokens: decode.tokens, batch: this.decoding.lengths.length },
    };
  }

  private async prefill(signal: AbortSignal | undefined) {
    const { programs, sequences } = this;
    const { checkpoint, weights, device } = this.model;
    const { hidden } = checkpoint.config;
    const stream = await embed({ checkpoint, device, programs }, sequences);
    // Weights that have no room to stay are read again in every pass: that is the disk's speed, and not the model's.
    const blocks: number[] = [];
    const outside = new Stopwatch(this.now);
    try {
      for (const [index, layout] of weights.layouts.entries()) {
        const block = await weights.block(index);
        const computing = new Stopwatch(this.now);
        await computing.time(() => stream.advance(layout, block, () => yieldTo(signal), ''));
        blocks.push(computing.seconds);
        weights.done(block);
      }
      const head = await weights.head();
      await outside.time(async () => {
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
    return { blocks, outside: outside.seconds };
  }

  /** What follows is random, too. */
  private async decode(signal: AbortSignal | undefined) {
    const { config } = this.model.checkpoint;
    const { lengths } = this.decoding;
    const tokens = Math.max(1, Math.min(DECODED, modelLength(config) - 1));
    const before = Math.max(1, Math.min(this.sequences[0]!.length, modelLength(config) - tokens));
    const step = (): Promise<void> => yieldTo(signal);
    if (lengths[0] === 0) {
      await this.decoding.feed(
        this.sequences.slice(0, lengths.length).map((ids) => ids.subarray(0, before)),
        step,
      );
    }
    const rng = new Rng(1);
    const next = (): Int32Array[] => lengths.map(() => Int32Array.of(rng.integer(config.vocabulary)));
    for (const row of lengths.keys()) this.decoding.cut(row, before);
    for (const watch of this.watches) watch.seconds = 0;
    const whole = new Stopwatch(this.now);
    await whole.time(async () => {
      for (let token = 0; token < tokens; token++) await this.decoding.feed(next(), step);
    });
    const blocks = this.watches.map(({ seconds }) => seconds / tokens);
    return { tokens, blocks, outside: whole.seconds / tokens - blocks.reduce((sum, seconds) => sum + seconds, 0) };
  }

  dispose(): void {
    this.decoding.dispose();
    this.programs.dispose();
  }
}

/** The same weights; from when a block is asked for until it is done with counts as its time. */
function timed(weights: BlockSource, watches: readonly Stopwatch[], now: Clock): BlockSource {
  let [current, began] = [-1, 0];
  return {
    layouts: weights.layouts,
    block: (index) => {
      [current, began] = [index, now()];
      return weights.block(index);
    },
    done: (of) => {
      weights.done(of);
      if (current >= 0) watches[current]!.add(now() - began);
      current = -1;
    },
    head: () => weights.head(),
  };
}

function wall(): number {
  return performance.now() / 1000;
}

/** Cancellation arrives with the messages that the process then looks at. */
async function yieldTo(signal: AbortSignal | undefined): Promise<void> {
  await new Promise(setImmediate);
  throwIfCancelled(signal, 'measuring the speed');
}
