import { VERSION } from '../../base/version.ts';
import type { DeviceName, EvaluationSettings } from '../../experiment/settings.ts';
import type { WorkClass } from '../../experiment/workClass.ts';
import { machineOf } from './machine.ts';
import type { OpenDevices } from './openDevices.ts';
import { loadOrt } from './ort.ts';
import { deviceNames } from './probe.ts';
import { processorName } from './processor.ts';

const known = new Map<DeviceName, readonly string[]>();

/**
 * What decides the digits that this process computes with such settings. No device is opened for it.
 *
 * @throws EspalierError as {@link OpenDevices.kind}
 */
export async function workClassOf(
  devices: OpenDevices,
  settings: Pick<EvaluationSettings, 'device' | 'precision'>,
): Promise<WorkClass> {
  const { name, precision, number } = await devices.kind(settings);
  // One that is chosen is the same for the life of a process.
  if (!known.has(name)) known.set(name, await deviceNames(name));
  const variables = Object.entries(machineOf(name)).filter(([variable]) => variable !== 'processor');
  const itself = name === 'cpu' ? processorName() : (known.get(name)?.[number] ?? name);
  const told = variables.map(([variable, value]) => `${variable}=${value}`);
  return {
    ...{ espalier: VERSION, onnxruntime: loadOrt().env.versions.node ?? 'unknown' },
    ...{ device: name, deviceName: [itself, ...told].join(', '), precision },
  };
}
