import { EspalierError } from '../base/errors.ts';
import { printDevice } from '../experiment/numberedDevice.ts';
import type { NumberedDevice } from '../experiment/numberedDevice.ts';

/** Environment variable that tells an engine which device of its kind it has. */
const DEVICE_NUMBER_VARIABLE = 'ESPALIER_DEVICE_NUMBER';
/** What CUDA shows a process: indices or names, all up to the first that is none. See NVIDIA's CUDA C++ Programming Guide, Environment Variables. */
const CUDA_VARIABLE = 'CUDA_VISIBLE_DEVICES';

/**
 * Variables of an engine's process by which it has one device of several. Of CUDA it is shown that one alone, where it has the number 0: so it makes no
 * context, and takes no memory, on a GPU of its neighbours. Other kinds are numbered by the engine.
 *
 * @param environment of this process; what it is shown of CUDA, by Slurm say, is what numbers count
 * @throws EspalierError `device/unavailable` where it is shown fewer
 */
export function deviceVariables(
  device: NumberedDevice,
  environment: NodeJS.ProcessEnv,
): Readonly<Record<string, string>> {
  if (device.device !== 'cuda') return { [DEVICE_NUMBER_VARIABLE]: String(device.number) };
  const shown = environment[CUDA_VARIABLE]?.split(',').map((name) => name.trim());
  const one = shown ? shown[device.number] : String(device.number);
  if (one === undefined || one === '') throw hiddenError(device, shown ?? []);
  // Where nobody has said which are shown, numbers are those of nvidia-smi.
  return { ...(!shown && PLACES), [CUDA_VARIABLE]: one, [DEVICE_NUMBER_VARIABLE]: '0' };
}

/** The number that this process was started with; undefined where it may take what it is given. */
export function numberOfDevice({ [DEVICE_NUMBER_VARIABLE]: text }: NodeJS.ProcessEnv): number | undefined {
  return text !== undefined && /^\d{1,3}$/.test(text) ? Number(text) : undefined;
}

const PLACES = { CUDA_DEVICE_ORDER: 'PCI_BUS_ID' } as const;

function hiddenError(device: NumberedDevice, shown: readonly string[]): EspalierError {
  return new EspalierError({
    code: 'device/unavailable',
    operation: `starting an engine on ${printDevice(device)}`,
    expected: `a number below that of the GPUs in ${CUDA_VARIABLE}`,
    actual: shown.every((name) => name === '') ? 'none in it' : `${shown.length} in it`,
    remedy: `Leave the device out, or ask for more GPUs: numbers count those that ${CUDA_VARIABLE} shows.`,
  });
}
