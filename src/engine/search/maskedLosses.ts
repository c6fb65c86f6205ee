import type { ModelMask } from '../../experiment/components.ts';
import type { BlockWeights } from '../forward/blockWeights.ts';
import { embedRows, type ForwardInputs, openStream } from '../forward/embed.ts';
import type { HiddenStream, Step } from '../forward/hiddenStream.ts';
import { type BlockFill, maskInputs } from '../forward/maskInputs.ts';

/** What a mask leaves of a model. */
export interface MaskedModel {
  readonly mask: ModelMask;
  /** What stands in the place of removed components, of each block. */
  readonly fill?: readonly BlockFill[];
}

/**
 * The mean loss of each masked model on the same sequences, in nats per predicted token; it need not be finite. Each block is visited
 * once for all models, so that nothing but masks and tokens goes to the device where the weights stay there.
 *
 * @param sequences token ids, all of one length
 */
export async function maskedLosses(
  inputs: ForwardInputs & { readonly weights: BlockWeights },
  sequences: readonly Int32Array[],
  models: readonly MaskedModel[],
  step: Step,
): Promise<number[]> {
  const { weights, programs } = inputs;
  const embedded = await embedRows(inputs, sequences);
  const streams: HiddenStream[] = [];
  try {
    for (const index of models.keys()) {
      const last = index + 1 === models.length;
      const own = last ? embedded : embedded.map(({ ids, data }) => ({ ids, data: data.slice() }));
      streams.push(await openStream(inputs, own));
    }
    for (const [index, layout] of weights.layouts.entries()) {
      const block = await weights.block(index);
      for (const [m, { mask, fill }] of models.entries()) {
        const masked = maskInputs(layout, mask[index]!, fill?.[index]);
        if (masked) await streams[m]!.advance(layout, block, step, `block ${index + 1}`, masked);
      }
      weights.done(block);
    }
    const head = await weights.head();
    const predictions = sequences.length * (sequences[0]!.length - 1);
    const losses: number[] = [];
    for (const { batches } of streams) {
      let sum = 0;
      for (const batch of batches) for (const loss of await programs.losses(batch, head)) sum += loss;
      losses.push(sum / predictions);
    }
    weights.done(head);
    return losses;
  } finally {
    for (const stream of streams) stream.dispose();
  }
}
