import type { ModelTensors } from '../checkpoint/checkpoint.ts';
import type { BlockLayout } from '../families/family.ts';
import type { Weights } from '../forward/blockWeights.ts';
import { embed } from '../forward/embed.ts';
import type { MaskInputs } from '../forward/maskInputs.ts';
import type { Step } from '../forward/step.ts';
import type { Device } from '../runtime/device.ts';
import type { PackedSequences } from './packedSequences.ts';
import { portionsOf, type Portion } from './portions.ts';
import { openPortionStates, type PortionStates } from './portionStates.ts';
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
  private readonly portions: readonly Portion[];
  private readonly states: PortionStates;

  private constructor(packed: PackedSequences, checkpoint: ModelTensors, device: Device, states: PortionStates) {
    this.packed = packed;
    this.checkpoint = checkpoint;
    this.device = device;
    this.portions = portionsOf(packed, checkpoint.config.hidden);
    this.states = states;
  }

  /** @throws EspalierError `io/write` where states lie in a file */
  static async open(
    { checkpoint, device }: { readonly checkpoint: ModelTensors; readonly device: Device },
    packed: PackedSequences,
  ): Promise<ScoredStream> {
    const states = await openPortionStates(packed, checkpoint.config.hidden, device);
    const stream = new ScoredStream(packed, checkpoint, device, states);
    try {
      for (const [index, { programs, batches }] of stream.portions.entries()) {
        const rows = batches.flatMap((batch) => batch.rows.map(({ ids }) => ids));
        const places = batches.map((batch) => batch.places);
        await states.keep(index, await embed({ checkpoint, device, programs }, rows, places));
      }
      return stream;
    } catch (error) {
      await states.dispose();
      throw error;
    }
  }

  /** Carries every sequence through a block, or through what a mask leaves of it. */
  async advance(layout: BlockLayout, block: Weights, step: Step, detail: string, mask?: MaskInputs): Promise<void> {
    for (const portion of this.portions.keys()) {
      await this.states.update(portion, (stream) => stream.advance(layout, block, step, detail, mask));
    }
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
    for (const [index, { batches }] of this.portions.entries()) {
      await this.states.read(index, async (stream) => {
        for (const [i, batch] of batches.entries()) {
          await scorer.add(batch, stream.batches[i]!.x);
          await step('likelihoods');
        }
      });
    }
    await scorer.finish();
  }

  dispose(): Promise<void> {
    return this.states.dispose();
  }
}

export function countBatches({ groups }: PackedSequences): number {
  return groups.reduce((sum, { batches }) => sum + batches.length, 0);
}
