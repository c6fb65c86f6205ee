import os from 'node:os';
import { canonicalJson } from '../../base/canonicalJson.ts';
import type { ModelCosts, ModelTimes } from '../../experiment/costSchema.ts';
import type { CostsRequest } from '../../experiment/costsRequestSchema.ts';
import { defaultLength } from '../../experiment/length.ts';
import { DEFAULT_SETTINGS, type EvaluationSettings } from '../../experiment/settings.ts';
import { type Checkpoint, openCheckpoint } from '../checkpoint/checkpoint.ts';
import { sha256 } from '../checkpoint/hashing.ts';
import type { ModelConfig } from '../families/families.ts';
import { modelLength, requireLength } from '../forward/modelLength.ts';
import type { StepHooks } from '../forward/step.ts';
import type { OpenDevices } from '../runtime/openDevices.ts';
import { workClassOf } from '../runtime/workClass.ts';
import { CostsFolder } from './costsFolder.ts';
import { measureCosts } from './measureCosts.ts';
import { measuredShapes } from './measuredShapes.ts';
import { modelSizes } from '../structure/modelSizes.ts';

/** Changes when times of the same fingerprint would have to differ. */
const FORMAT = 1;

/** What times are measured under. */
export type CostConditions = Pick<CostsRequest, 'batch' | 'length'> & {
  readonly settings: Pick<EvaluationSettings, 'device' | 'precision' | 'threads'>;
};

export interface CostPlaces {
  readonly devices: OpenDevices;
  readonly cacheFolder?: string | undefined;
}

/**
 * What a checkpoint's model costs by what its blocks keep, and what each shape takes on the device, as far as that is known or asked for. Weights are not
 * read.
 *
 * @throws EspalierError `checkpoint/…`, `device/…`, `settings/invalid`, `cancelled`
 */
export async function modelCosts(
  { model, times, ...asked }: CostsRequest,
  hooks: StepHooks,
  { devices, cacheFolder }: CostPlaces,
): Promise<ModelCosts> {
  const checkpoint = await openCheckpoint(model);
  try {
    const { config } = checkpoint;
    const conditions = { ...asked, length: asked.length || lengthOf(config) };
    requireLength(config, conditions.length);
    if (times !== 'anew') {
      const known = await knownCosts(checkpoint, conditions, { devices, cacheFolder });
      if (known.times || times === 'known') return known;
    }
    const sizes = modelSizes(checkpoint);
    const device = await devices.device(conditions.settings);
    const measured = await measureCosts(measuredShapes(config, sizes), device, conditions, hooks);
    const { batch, length } = conditions;
    const about = { ...(await identify(config, conditions, devices)), batch, length };
    const found: ModelTimes = { ...about, ...measured };
    if (cacheFolder !== undefined) await new CostsFolder(cacheFolder).keep(found);
    return { ...sizes, times: found };
  } finally {
    checkpoint.close();
  }
}

/** What is known without measuring anything. */
export async function knownCosts(
  checkpoint: Pick<Checkpoint, 'config' | 'tensors'>,
  conditions: CostConditions,
  { devices, cacheFolder }: CostPlaces,
): Promise<ModelCosts> {
  const sizes = modelSizes(checkpoint);
  if (cacheFolder === undefined) return sizes;
  const { fingerprint } = await identify(checkpoint.config, conditions, devices);
  const times = await new CostsFolder(cacheFolder).find(fingerprint);
  return { ...sizes, ...(times && { times }) };
}

/** The length that a comparison of speeds takes by itself. */
export function lengthOf(config: ModelConfig): number {
  return defaultLength(modelLength(config), DEFAULT_SETTINGS.lengthLimit);
}

async function identify(
  config: ModelConfig,
  { batch, length, settings }: CostConditions,
  devices: OpenDevices,
): Promise<Pick<ModelTimes, 'fingerprint' | 'device'>> {
  const machine = await workClassOf(devices, settings);
  const threads = settings.threads || os.availableParallelism();
  const decided = { format: FORMAT, config, machine, batch, length, threads };
  const { device, deviceName, precision } = machine;
  const of = [
    deviceName,
    ...(device === 'cpu' ? [`${threads} ${threads === 1 ? 'thread' : 'threads'}`] : []),
    precision,
  ];
  return { fingerprint: sha256(canonicalJson(decided)), device: `${device}: ${of.join(', ')}` };
}
