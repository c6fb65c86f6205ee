import type { ModelTensors } from '../checkpoint/checkpoint.ts';
import type { BlockWeights } from '../forward/blockWeights.ts';
import type { Step } from '../forward/step.ts';
import type { Device } from '../runtime/device.ts';
import { disposePacked, packAll } from './packedSequences.ts';
import { ScoredStream } from './scoredStream.ts';
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
  { checkpoint, weights, device }: ScoringModel,
  sequences: readonly Sequence[],
  { top = 1, step = () => Promise.resolve() }: { readonly top?: number; readonly step?: Step } = {},
): Promise<readonly (readonly ScoredToken[])[]> {
  const packed = await packAll(checkpoint.config, device, sequences);
  let stream: ScoredStream | undefined;
  try {
    stream = await ScoredStream.open({ checkpoint, device }, packed);
    for (const [index, layout] of weights.layouts.entries()) {
      const block = await weights.block(index);
      try {
        await stream.advance(layout, block, step, `block ${index + 1} of ${weights.layouts.length}`);
      } finally {
        weights.done(block);
      }
    }
    const scores = sequences.map(({ ids, from }) => new Array<ScoredToken>(ids.length - from));
    const head = await weights.head();
    try {
      await stream.eachToken(
        head,
        Math.max(1, top),
        step,
        ({ asked: { sequence, index }, logProbability, top: best }) => {
          scores[sequence]![index - sequences[sequence]!.from] = { logProbability, top: best! };
        },
      );
    } finally {
      weights.done(head);
    }
    return scores;
  } finally {
    stream?.dispose();
    disposePacked(packed);
  }
}
