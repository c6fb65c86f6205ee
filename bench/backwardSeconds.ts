import { collectGradients } from '../src/engine/gradient/collectGradients.ts';
import type { Step } from '../src/engine/forward/step.ts';
import { processorSeconds } from './clock.ts';
import { type Opened, yieldOnce } from './openInputs.ts';
import { median } from './report.ts';

export interface BackwardSeconds {
  /** Of one sample through one block: seconds of processor, the median of all samples but the first, for which programs are compiled. */
  readonly forward: number;
  /** The same back, with G of every linear layer added up. */
  readonly backward: number;
}

/** Collects G of a model's linear layers, and looks at the clock after every program. */
export async function backwardSeconds({ inputs }: Opened): Promise<BackwardSeconds> {
  const { checkpoint, device, weights, calibration: samples } = inputs;
  const [forward, backward]: [number[], number[]] = [[], []];
  let last = processorSeconds();
  const step: Step = async (detail) => {
    const seconds = processorSeconds() - last;
    if (detail.startsWith('forward, block')) forward.push(seconds);
    if (detail.startsWith('gradients, block')) backward.push(seconds);
    await yieldOnce();
    last = processorSeconds();
  };
  await collectGradients({ checkpoint, device, weights, samples }, () => Promise.resolve(), step);
  if (forward.length < 2 || backward.length < 2) throw new RangeError('a first sample and others');
  return { forward: median(forward.slice(1)), backward: median(backward.slice(1)) };
}
