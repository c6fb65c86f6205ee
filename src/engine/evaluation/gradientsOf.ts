import type { Provenance } from '../../experiment/resultSchema.ts';
import { countGradientSteps } from '../gradient/collectGradients.ts';
import { type GradientOperands, type GradientRequest, gradientFingerprint } from '../gradient/gradientOperands.ts';
import type { LoadedGradients } from '../gradient/loadedGradients.ts';
import type { ForwardObserver } from '../gradient/modelBackward.ts';
import type { Step } from '../forward/step.ts';
import type { SweepInputs } from './sweepInputs.ts';

/** The gradients that an evaluation needs: found, or still to be computed. */
export interface NeededGradients {
  /** Program runs that are still to be done; 0 where they were found. */
  readonly steps: number;
  /** Computes them where they were not found. */
  readonly get: (
    step: Step,
    /** Takes statistics of the layers' inputs from the same forward pass, where there is one. */
    observe?: ForwardObserver,
  ) => Promise<{
    readonly gradients: GradientOperands;
    readonly seconds: number;
    readonly source: 'computed' | 'cached';
  }>;
}

/** What decides the gradients: everything of the provenance that they depend on. The calibration has to be part of it. */
export type CalibratedProvenance = Pick<
  Provenance,
  'modelHash' | 'length' | 'device' | 'precision' | 'versions' | 'machine'
> &
  Pick<Provenance, 'calibrationHash' | 'samples' | 'calibrationLength' | 'offsets' | 'seed' | 'rows'> &
  Pick<Provenance, 'gradientsHash' | 'gradientSamples' | 'gradientLength' | 'gradientOffsets'>;

/** Looks for the gradients of the dense model over the samples that they are taken on, in memory and on disk. */
export async function needGradients(
  inputs: Pick<SweepInputs, 'checkpoint' | 'device' | 'weights' | 'gradientSamples' | 'now'>,
  provenance: CalibratedProvenance,
  loaded: LoadedGradients,
): Promise<NeededGradients> {
  const { checkpoint, device, weights, gradientSamples: samples, now } = inputs;
  const request: GradientRequest = { fingerprint: fingerprintOf(provenance), device, layouts: weights.layouts };
  const found = await loaded.find(request, now);
  if (found) return { steps: 0, get: () => Promise.resolve({ ...found, source: 'cached' }) };
  const source = { checkpoint, device, weights, samples };
  return {
    steps: countGradientSteps(source),
    get: async (step, observe) => ({
      ...(await loaded.compute(request, source, step, now, observe)),
      source: 'computed',
    }),
  };
}

function fingerprintOf(provenance: CalibratedProvenance): string {
  const { modelHash, device, precision, versions, machine, seed } = provenance;
  const { textHash, rows, ...samples } = sampledFrom(provenance);
  return gradientFingerprint({
    ...{ modelHash, length: samples.length, device, precision, versions, machine: machine! },
    ...{ calibrationHash: textHash, samples: samples.samples, offsets: samples.offsets, seed: seed! },
    ...(rows && { rows }),
  });
}

/** What the samples were taken of, and how. */
function sampledFrom(provenance: CalibratedProvenance) {
  const { gradientSamples, rows } = provenance;
  if (gradientSamples === undefined) {
    return {
      textHash: provenance.calibrationHash!,
      samples: provenance.samples!,
      length: provenance.calibrationLength ?? provenance.length,
      offsets: provenance.offsets!,
      rows: rows?.calibration,
    };
  }
  return {
    textHash: provenance.gradientsHash!,
    samples: gradientSamples,
    length: provenance.gradientLength!,
    offsets: provenance.gradientOffsets!,
    rows: rows?.gradients,
  };
}
