import type { ModelTensors } from '../checkpoint/checkpoint.ts';
import type { BlockLayout } from '../families/family.ts';
import type { Weights } from '../forward/blockWeights.ts';
import type { AdvanceOptions } from '../forward/hiddenStream.ts';
import { openStates, type StateStream } from '../forward/stateStream.ts';
import type { Step } from '../forward/step.ts';
import type { Device } from '../runtime/device.ts';
import type { PackedSequences } from './packedSequences.ts';
import { HeadScorer, type TokenScore } from './scoreHead.ts';

/** What sequences' asked tokens have together. */
export interface Scores {
  /** Sums of their log-probabilities, in nats, added up in float64. */
  readonly logLikelihoods: Float64Array;
  /** 1 where each of them was the most likely token. */
  readonly greedy: Uint8Array;
}

/** Packed sequences on their way through a model. */
export class ScoredStream {
  readonly packed: PackedSequences;
  private readonly checkpoint: ModelTensors;
  private readonly device: Device;
  /** Of each length. */
  private readonly streams: StateStream[] = [];

  private constructor(packed: PackedSequences, checkpoint: ModelTensors, device: Device) {
    this.packed = packed;
    this.checkpoint = checkpoint;
    this.device = device;
  }

  /** @throws EspalierError `io/write` where states lie in a file */
  static async open(
    { checkpoint, device }: { readonly checkpoint: ModelTensors; readonly device: Device },
    packed: PackedSequences,
  ): Promise<ScoredStream> {
    const stream = new ScoredStream(packed, checkpoint, device);
    try {
      for (const { programs, batches } of packed.groups) {
        const rows = batches.flatMap((batch) => batch.rows.map(({ ids }) => ids));
        const places = batches.map((batch) => batch.places);
        stream.streams.push(await openStates({ checkpoint, device, programs }, rows, packed.scratchFolder, places));
      }
      return stream;
    } catch (error) {
      await stream.dispose();
      throw error;
    }
  }

  /** Carries every sequence through a block, or through what a mask leaves of it; of the last one only what is asked about comes out. */
  async advance(
    layout: BlockLayout,
    block: Weights,
    step: Step,
    detail: string,
    options?: AdvanceOptions,
  ): Promise<void> {
    for (const stream of this.streams) await stream.advance(layout, block, step, detail, options);
  }

  /** Batches: steps of a block, and of {@link finish}. */
  get steps(): number {
    return countBatches(this.packed);
  }

  /** Scores after the last block. */
  async finish(head: Weights, step: Step): Promise<Scores> {
    const { sequences } = this.packed;
    // Added up in the order of the tokens, whatever order rows came in.
    const tokens = sequences.map(({ ids, from }) => new Float32Array(ids.length - from));
    const greedy = new Uint8Array(sequences.length).fill(1);
    await this.eachToken(head, 0, step, ({ asked: { sequence, index }, logProbability, greedy: isMost }) => {
      tokens[sequence]![index - sequences[sequence]!.from] = logProbability;
      if (!isMost) greedy[sequence] = 0;
    });
    const sumOf = (values: Float32Array): number => values.reduce((sum, value) => sum + value, 0);
    return { logLikelihoods: Float64Array.from(tokens, sumOf), greedy };
  }

  /** @param top of how many tokens each score is to tell the most likely ones */
  async eachToken(head: Weights, top: number, step: Step, found: (score: TokenScore) => void): Promise<void> {
    const { packed, device } = this;
    const scorer = new HeadScorer({ config: this.checkpoint.config, device, head }, packed, top, found);
    for (const [index, stream] of this.streams.entries()) {
      const batches = packed.groups[index]!.batches.values();
      await stream.each(async (part) => {
        for (const { x } of part.batches) {
          await scorer.add(batches.next().value!, x);
          await step('likelihoods');
        }
      });
    }
    await scorer.finish();
  }

  async dispose(): Promise<void> {
    for (const stream of this.streams) await stream.dispose();
  }
}

export function countBatches({ groups }: PackedSequences): number {
  return groups.reduce((sum, { batches }) => sum + batches.length, 0);
}
