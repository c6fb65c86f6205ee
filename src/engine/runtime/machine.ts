import os from 'node:os';
import type { DeviceName } from '../../experiment/settings.ts';

/**
 * What of the machine decides the last bits of a number beside the device's kind: the processor, whose instructions the library
 * chooses its programs by, and variables by which the libraries that compute let themselves be told to compute otherwise. Of other devices than
 * the CPU no library tells a name.
 */
export function machineOf(
  device: DeviceName,
  environment: NodeJS.ProcessEnv = process.env,
): Readonly<Record<string, string>> {
  const named = Object.entries(environment).filter((entry): entry is [string, string] => {
    const [name, value] = entry;
    return value !== undefined && value !== '' && DECIDING.test(name) && name !== 'ORT_DISABLE_TELEMETRY';
  });
  return {
    ...(device === 'cpu' && { processor: `${os.cpus()[0]?.model.trim() ?? 'unknown'} (${process.arch})` }),
    ...Object.fromEntries(named.sort(([a], [b]) => (a < b ? -1 : 1))),
  };
}

/** Of ONNX Runtime and its kernels, of CUDA's libraries, and of the C library, whose functions have several forms. */
const DECIDING = /^(ORT|MLAS|CUBLAS|CUDNN|DAWN)_\w+$|^(NVIDIA_TF32_OVERRIDE|GLIBC_TUNABLES)$/;
