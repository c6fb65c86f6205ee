import type { ModelCosts } from './costSchema.ts';
import type { Prediction } from './predictionSchema.ts';
import { type BlockSize, isTimed, modelSize, speedUp } from './costs.ts';
import { formatBytes, formatShare } from './format.ts';
import type { StructureReport } from './structureSchema.ts';

/** Sequences that go through a model at once where its speed is measured. */
export const SPEED_BATCH = 4;

/** What each block keeps where whole components went. */
export function sizesOf({ blocks }: Pick<StructureReport, 'blocks'>): readonly BlockSize[] {
  return blocks.map(({ groups, channels, experts, dropped }) =>
    dropped ? 'dropped' : { groups: groups.kept, channels: channels.kept, ...(experts && { experts: experts.kept }) },
  );
}

/**
 * Size and speed of a model beside the dense one, as far as they are known without it.
 *
 * @param kept of each block; without it single weights are zero in place, which changes neither
 * @param compensated whether the output projections get biases for what was removed
 */
export function predict(costs: ModelCosts, kept: readonly BlockSize[] = costs.blocks, compensated = false): Prediction {
  return {
    dense: modelSize(costs, costs.blocks),
    pruned: modelSize(costs, kept, compensated),
    ...(isTimed(costs) && {
      speedUp: {
        prefill: speedUp(costs, kept, 'prefill'),
        decode: speedUp(costs, kept, 'decode'),
        on: `${costs.times.device}, ${costs.times.batch} × ${costs.times.length}`,
      },
    }),
  };
}

/** `about 1.31 × prefill, 1.22 × decode, 61 % of the weights' bytes (134 MB)`. */
export function predictionWords({ dense, pruned, speedUp }: Prediction): string {
  const size = `${formatShare(pruned.bytes / dense.bytes)} of the weights' bytes (${formatBytes(pruned.bytes)})`;
  return speedUp ? `about ${times(speedUp.prefill)} prefill, ${times(speedUp.decode)} decode, ${size}` : size;
}

/** The same of several models, at most so many, and what to do where their speed is not known. */
export function predictionLines(
  predicted: readonly { readonly name: string; readonly prediction: Prediction | undefined }[],
  remedy: string,
): readonly string[] {
  const told = predicted.flatMap(({ name, prediction }) => (prediction ? [{ name, prediction }] : []));
  if (told.length === 0) return [];
  const isKnown = told.some(({ prediction }) => prediction.speedUp);
  const more = told.length > MOST_TOLD ? [`${told.length - MOST_TOLD} more with --json`] : [];
  return [
    ...told.slice(0, MOST_TOLD).map(({ name, prediction }) => `${name}: ${predictionWords(prediction)}`),
    ...more,
    ...(isKnown ? [] : [`how much faster is not measured yet: ${remedy}`]),
  ];
}

const MOST_TOLD = 6;

/** What is to be said of zeros in place. */
export const ZEROS_IN_PLACE = '1.00 ×: zeros in place make nothing faster or smaller';

export function times(factor: number): string {
  return `${factor.toFixed(2)} ×`;
}
