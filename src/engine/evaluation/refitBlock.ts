import type { Step } from '../forward/step.ts';
import type { DeviceTensor } from '../runtime/deviceTensor.ts';
import { readers } from '../structure/metricScorer.ts';
import { refitsOf } from '../structure/refits.ts';
import type { Refitter } from '../structure/refitter.ts';
import type { BlockMask } from '../../experiment/structureSchema.ts';
import { BlockGrams } from './blockGrams.ts';
import type { BlockVisit } from './blockVisit.ts';
import type { CalibrationStream } from './calibrationStream.ts';
import type { Refitted } from './removal.ts';
import type { SweepInputs } from './sweepInputs.ts';

/**
 * Refits the output projections of one block: H of what they read comes from the calibration samples as they stand before it, run through the
 * whole block. The samples stay where they are. Steps are those of {@link countRefitSteps}, whatever the mask is.
 *
 * @throws EspalierError `recovery/ill-conditioned`
 */
export async function refitBlock(
  { device }: Pick<SweepInputs, 'device'>,
  calibration: CalibrationStream,
  { layout, block, refitArrays, where }: Pick<BlockVisit, 'layout' | 'block' | 'refitArrays' | 'where'>,
  mask: BlockMask,
  refitter: Refitter,
  step: Step,
): Promise<Refitted> {
  const refits = new Map(refitsOf(layout, mask).map((refit) => [refit.layer.name, refit]));
  const layers = [...refits.values()].map(({ layer }) => layer);
  const refitted: Record<string, DeviceTensor> = {};
  const done = (): void => {
    for (const tensor of Object.values(refitted)) tensor.dispose();
  };
  let grams: BlockGrams | undefined;
  try {
    if (layers.length > 0) grams = await BlockGrams.open(device, layers, refitArrays);
    await calibration.observe(layout, block, false, step, `calibrating, ${where}`, grams);
    for (const layer of readers(layout)) {
      const refit = refits.get(layer.name);
      if (refit) {
        refitted[layer.name] = await refitter.refit(refit, block[layer.name]!, await grams!.of(layer), step.pause);
        grams!.free(layer);
      }
      await step(`refitting, ${where}`);
    }
    return { weights: refitted, done };
  } catch (error) {
    done();
    throw error;
  } finally {
    grams?.dispose();
  }
}

/** Steps of a model whose blocks are refitted, beside those of evaluating it: nothing has to be calibrated behind the last block. */
export function countRefitSteps({ weights, calibration, calibrationPrograms }: SweepInputs): number {
  const { layouts } = weights;
  const batches = Math.ceil(calibration.length / calibrationPrograms.batch);
  const refits = layouts.reduce((sum, layout) => sum + readers(layout).length, 0);
  return (2 * layouts.length - 1) * batches + refits;
}
