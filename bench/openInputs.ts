import type { EvaluationPlan } from '../src/experiment/planSchema.ts';
import { openCheckpoint } from '../src/engine/checkpoint/checkpoint.ts';
import { BlockWeights } from '../src/engine/forward/blockWeights.ts';
import { ModelPrograms } from '../src/engine/forward/modelPrograms.ts';
import type { SweepInputs } from '../src/engine/evaluation/sweepInputs.ts';
import { cutSamples } from '../src/engine/corpus/cutSamples.ts';
import { DEFAULT_ROWS } from '../src/experiment/corpusRows.ts';
import { calibrationSettings } from '../src/experiment/settings.ts';
import { evaluationBlocks } from '../src/engine/forward/tokenBlocks.ts';
import { TokenCache } from '../src/engine/forward/tokenCache.ts';
import { Device } from '../src/engine/runtime/device.ts';

export interface Opened {
  readonly plan: EvaluationPlan;
  readonly device: Device;
  readonly inputs: SweepInputs;
}

/** Everything that a peer has done too before its clock starts: checkpoint opened, texts tokenised. */
export async function openInputs(plan: EvaluationPlan): Promise<Opened> {
  const { settings } = plan;
  const device = new Device({ name: 'cpu', precision: 'float32', threads: settings.threads });
  const checkpoint = await openCheckpoint(plan.model);
  const cache = new TokenCache();
  const open = (file: string) =>
    cache.text({ folder: checkpoint.folder, vocabulary: checkpoint.config.vocabulary }, { file, rows: DEFAULT_ROWS });
  const text = await open(plan.text!);
  const calibration = plan.calibration === undefined ? undefined : await open(plan.calibration);
  const samples = calibration
    ? cutSamples(await calibration.ids(), { ...calibrationSettings(settings), offsets: 'even' }, plan.calibration!)
        .tokens
    : [];
  const programs = await ModelPrograms.create(checkpoint.config, device, settings.length);
  const inputs: SweepInputs = {
    checkpoint,
    device,
    weights: new BlockWeights(checkpoint, device, 'again'),
    programs,
    // Samples are as long as blocks here.
    calibrationPrograms: programs,
    evaluation: await evaluationBlocks(text, settings, plan.text!),
    calibration: samples,
    gradientSamples: samples,
    calibrate: settings.calibrate,
    now: () => performance.now() / 1000,
  };
  return { plan, device, inputs };
}

/** What an engine does after every step, so that messages and signals are seen. */
export function yieldOnce(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
