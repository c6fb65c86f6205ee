import type { ModelTensors } from '../checkpoint/checkpoint.ts';
import type { BlockWeights, Weights } from '../forward/blockWeights.ts';
import type { Step } from '../forward/step.ts';
import type { Device } from '../runtime/device.ts';
import { disposePacked, packAll, type PackedSequences } from './packedSequences.ts';
import { ScoredStream, type Scores } from './scoredStream.ts';
import type { TopToken } from './scoreHead.ts';
import type { Sequence } from './sequence.ts';

/** A token of a sequence, behind all before it. */
export interface ScoredToken {
  /** In nats. */
  readonly logProbability: number;
  /** The most likely tokens, the first before all others: as many as were asked for, one at least. */
  readonly top: readonly TopToken[];
}

/** A model whose weights are at hand, on the device that runs it. */
export interface ScoringModel {
  readonly checkpoint: ModelTensors;
  readonly weights: Pick<BlockWeights, 'layouts' | 'block' | 'head' | 'done'>;
  readonly device: Device;
}

/**
 * Log-probabilities of tokens of any sequences, of those from `from` on: what they begin with in common goes through the model once.
 *
 * @param options.top of how many of the most likely tokens each place is to tell
 * @param options.step after each run of a program
 * @returns of each sequence one for each token from `from` on
 */
export async function scoreSequences(
  model: ScoringModel,
  sequences: readonly Sequence[],
  { top = 1, step = () => Promise.resolve() }: { readonly top?: number; readonly step?: Step } = {},
): Promise<readonly (readonly ScoredToken[])[]> {
  const packed = await packAll(model.checkpoint.config, model.device, sequences);
  try {
    const scores = sequences.map(({ ids, from }) => new Array<ScoredToken>(ids.length - from));
    await throughModel(model, packed, step, (stream, head) =>
      stream.eachToken(head, Math.max(1, top), step, ({ asked: { sequence, index }, logProbability, top: best }) => {
        scores[sequence]![index - sequences[sequence]!.from] = { logProbability, top: best! };
      }),
    );
    return scores;
  } finally {
    disposePacked(packed);
  }
}

/** Sums of the log-probabilities of packed sequences' asked tokens. */
export function scorePacked(model: ScoringModel, packed: PackedSequences, step: Step): Promise<Scores> {
  return throughModel(model, packed, step, (stream, head) => stream.finish(head, step));
}

/** Carries sequences through all blocks, one after the other, up to the head. */
async function throughModel<Found>(
  { checkpoint, weights, device }: ScoringModel,
  packed: PackedSequences,
  step: Step,
  finish: (stream: ScoredStream, head: Weights) => Promise<Found>,
): Promise<Found> {
  const stream = await ScoredStream.open({ checkpoint, device }, packed);
  try {
    for (const [index, layout] of weights.layouts.entries()) {
      const block = await weights.block(index);
      try {
        const last = index === weights.layouts.length - 1;
        await stream.advance(layout, block, step, `block ${index + 1} of ${weights.layouts.length}`, { last });
      } finally {
        weights.done(block);
      }
    }
    const head = await weights.head();
    try {
      return await finish(stream, head);
    } finally {
      weights.done(head);
    }
  } finally {
    await stream.dispose();
  }
}
