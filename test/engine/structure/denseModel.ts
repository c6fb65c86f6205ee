import { type Checkpoint, openCheckpoint } from '../../../src/engine/checkpoint/checkpoint.ts';
import type { DeviceName } from '../../../src/experiment/settings.ts';
import { BlockWeights } from '../../../src/engine/forward/blockWeights.ts';
import type { GradientInputs } from '../../../src/engine/gradient/collectGradients.ts';
import { Device } from '../../../src/engine/runtime/device.ts';
import type { FamilyName } from '../../support/generate/families.ts';
import { temporaryFamily, type TemporaryFamily } from '../../support/generate/temporaryFamily.ts';
import { evenSamples } from '../../support/oracle/prune.ts';
import { tokenize } from '../../support/oracle/tokenize.ts';

/** A family's checkpoint as scores of components take it, with its calibration samples. */
export interface DenseModel {
  readonly family: TemporaryFamily;
  readonly checkpoint: Checkpoint;
  readonly inputs: GradientInputs;
  readonly samples: readonly (readonly number[])[];
  close(): Promise<void>;
}

export async function openDenseModel(
  name: FamilyName,
  count: number,
  length: number,
  on: DeviceName = 'cpu',
): Promise<DenseModel> {
  const family = await temporaryFamily(name);
  const checkpoint = await openCheckpoint(family.folder);
  const device = new Device({ name: on, precision: 'float32', threads: 1 });
  const weights = new BlockWeights(checkpoint, device, true);
  const samples = evenSamples(tokenize(family.folder, family.calibration), count, length);
  return {
    family,
    checkpoint,
    inputs: { checkpoint, device, weights, samples: samples.map((ids) => Int32Array.from(ids)) },
    samples,
    async close() {
      weights.dispose();
      checkpoint.close();
      await device.dispose();
      await family.remove();
    },
  };
}
