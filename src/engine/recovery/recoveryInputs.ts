import { tmpdir } from 'node:os';
import { canonicalJson } from '../../base/canonicalJson.ts';
import { EspalierError } from '../../base/errors.ts';
import type { RecoveryPlan } from '../../search/recovery/plan.ts';
import { scratchWrites } from '../../files/scratchWrites.ts';
import { makeTemporaryFolder, removeTemporary } from '../../files/temporary.ts';
import { type Checkpoint, openCheckpoint } from '../checkpoint/checkpoint.ts';
import { sha256 } from '../checkpoint/hashing.ts';
import { readParameter } from '../checkpoint/readParameter.ts';
import { planInputs } from '../../experiment/planInputs.ts';
import type { EngineState } from '../evaluation/prepareSweep.ts';
import type { LoadedModel } from '../forward/loadedModels.ts';
import { requireLength } from '../forward/modelLength.ts';
import type { StepHooks } from '../forward/step.ts';
import type { Device } from '../runtime/device.ts';
import { type Adapter, freshFactors, trainedVectors } from './adapter.ts';
import { cutAdapter } from './cutAdapter.ts';
import { hashPeftAdapter, readPeftAdapter } from './peftAdapter.ts';
import { trainingLength } from './recoveryTexts.ts';
import { writeScratch } from './writeScratch.ts';

/** What is trained, and on what. To be closed: the model that was pruned lies in a folder of its own until then. */
export interface RecoveryInputs {
  readonly dense: LoadedModel;
  readonly device: Device;
  /** What is trained: the pruned model in float32, or the dense one as it is. */
  readonly checkpoint: Checkpoint;
  readonly adapter: Adapter;
  /** Hash of all that decides what a step does; that of a plan which has been written and read is the same. */
  readonly recovery: string;
  close(): Promise<void>;
}

/**
 * Prunes as the plan says, and makes what is to be trained.
 *
 * @param scratchFolder where the pruned model may lie meanwhile: as large as the model is in float32
 * @throws EspalierError as evaluation, export and adapters do
 */
export async function recoveryInputs(
  plan: RecoveryPlan,
  hooks: StepHooks,
  state: EngineState,
  scratchFolder: string = tmpdir(),
): Promise<RecoveryInputs> {
  const { settings, evaluation, recovery } = plan;
  if (settings.precision === 'float16') throw halfPrecision();
  if (plan.adapter !== undefined && recovery.method === 'norms') throw normsAdapter();
  const scratch =
    evaluation && (await scratchWrites(scratchFolder, () => makeTemporaryFolder(scratchFolder, 'espalier-recovery')));
  let checkpoint: Checkpoint | undefined;
  const close = async (): Promise<void> => {
    checkpoint?.close();
    if (scratch !== undefined) await removeTemporary(scratch);
  };
  try {
    const device = await state.devices.device(settings);
    const written =
      scratch === undefined
        ? undefined
        : await scratchWrites(scratch, () => writeScratch(planInputs(plan), evaluation!, scratch, hooks, state));
    const dense = await state.models.load(plan.model, device, hooks.signal);
    requireLength(dense.checkpoint.config, trainingLength(plan));
    const opened = await openCheckpoint(scratch ?? plan.model);
    checkpoint = opened;
    const { config } = opened;
    const started = plan.adapter === undefined ? undefined : await readPeftAdapter(plan.adapter, dense.checkpoint);
    const adapter =
      recovery.method === 'norms'
        ? trainedVectors(config, (parameter) => readParameter(opened, parameter))
        : started
          ? cutAdapter(started, config, written?.cut ?? (({ tensor }) => ({ from: tensor })))
          : freshFactors(config, recovery);
    const about = {
      model: await dense.hash(hooks.signal),
      evaluation: evaluation && { ...evaluation, metric: undefined },
      calibrated: [settings.samples, settings.length, settings.offsets, settings.seed, settings.calibrate],
      adapter: plan.adapter === undefined ? undefined : await hashPeftAdapter(plan.adapter),
      recovery,
    };
    return { dense, device, checkpoint: opened, adapter, recovery: sha256(canonicalJson(about)), close };
  } catch (error) {
    await close();
    throw error;
  }
}

function halfPrecision(): EspalierError {
  return new EspalierError({
    code: 'settings/invalid',
    operation: 'recovering',
    expected: 'the precision float32: gradients of small learning rates are lost in float16',
    actual: 'float16',
    remedy: 'Use --precision float32.',
  });
}

function normsAdapter(): EspalierError {
  return new EspalierError({
    code: 'settings/invalid',
    operation: 'recovering',
    expected: 'the method lora, where training goes on from an adapter',
    actual: 'norms',
    remedy: 'Leave the adapter out, or use --method lora.',
  });
}
