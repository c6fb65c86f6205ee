import { execFile } from 'node:child_process';
import { withoutSecrets } from '../../base/secretVariables.ts';

const TIME_LIMIT = 10_000;

/**
 * Names of the GPUs that CUDA shows a process, by their numbers, as NVIDIA's own program tells them; none where it is not there.
 *
 * @param environment whose `CUDA_VISIBLE_DEVICES` counts: places, or beginnings of what nvidia-smi calls `uuid`
 */
export async function gpuNames(environment: NodeJS.ProcessEnv): Promise<readonly string[]> {
  const gpus = await listGpus();
  const shown = environment['CUDA_VISIBLE_DEVICES'];
  if (shown === undefined) return gpus.map(({ name }) => name);
  return shown.split(',').flatMap((one) => {
    const text = one.trim();
    return text === '' ? [] : [gpus.find(({ place, uuid }) => place === text || uuid.startsWith(text))?.name ?? text];
  });
}

interface Gpu {
  readonly place: string;
  readonly uuid: string;
  readonly name: string;
}

/** In the order of their places on the bus. */
function listGpus(): Promise<readonly Gpu[]> {
  const words = ['--query-gpu=index,uuid,name', '--format=csv,noheader'];
  return new Promise((resolve) => {
    execFile(
      'nvidia-smi',
      words,
      { timeout: TIME_LIMIT, windowsHide: true, env: withoutSecrets(process.env) },
      (error, stdout) => {
        const lines = error ? [] : stdout.split(/\r?\n/);
        resolve(
          lines.flatMap((line) => {
            const [, place, uuid, name] = /^(\d+), (\S+), (.{1,200})$/.exec(line.trim()) ?? [];
            return place !== undefined && uuid !== undefined && name !== undefined ? [{ place, uuid, name }] : [];
          }),
        );
      },
    );
  });
}
