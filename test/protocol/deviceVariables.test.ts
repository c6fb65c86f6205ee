import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { readDevices } from '../../src/experiment/numberedDevice.ts';
import { forkWorker } from '../../src/protocol/workerProcess.ts';
import { failureOf } from '../support/expectCoded.ts';

// What a process that is forked for one device of several is given.

let folder: string;
let file: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'espalier-variables-'));
  file = path.join(folder, 'child.cjs');
  await writeFile(
    file,
    'console.log(JSON.stringify([process.env.CUDA_VISIBLE_DEVICES, process.env.ESPALIER_DEVICE_NUMBER]))',
  );
});
afterAll(() => rm(folder, { recursive: true }));

/** What it finds of CUDA_VISIBLE_DEVICES, and the number that its engine has. */
async function given(device: string | undefined): Promise<unknown> {
  const lines: string[] = [];
  const [one] = device === undefined ? [] : readDevices(device);
  const child = forkWorker({ file, device: one, log: (line) => lines.push(line) });
  await new Promise<void>((resolve) => {
    child.onExit(() => {
      resolve();
    });
  });
  return JSON.parse(lines[0]!);
}

describe('a process on one device of several', () => {
  it.each<[device: string | undefined, shown: string | undefined, found: (string | null)[]]>([
    [undefined, undefined, [null, null]],
    [undefined, '2,3', ['2,3', null]],
    ['cuda:1', undefined, ['1', '0']],
    // As Slurm and Kubernetes show a task its own GPUs.
    ['cuda:1', '2,3', ['3', '0']],
    ['cuda:0', 'GPU-8932f937, MIG-GPU-8932f937/1/2', ['GPU-8932f937', '0']],
    ['cuda:1', 'GPU-8932f937, MIG-GPU-8932f937/1/2', ['MIG-GPU-8932f937/1/2', '0']],
    ['dml:2', '5', ['5', '2']],
    ['webgpu:1', undefined, [null, '1']],
  ])('%s where CUDA_VISIBLE_DEVICES is %s', async (device, shown, found) => {
    vi.stubEnv('CUDA_VISIBLE_DEVICES', shown);
    vi.stubEnv('ESPALIER_DEVICE_NUMBER', undefined);
    try {
      expect(await given(device)).toEqual(found);
    } finally {
      vi.unstubAllEnvs();
    }
  });

  it.each([
    ['cuda:2', '0,1', '2 in it'],
    ['cuda:0', '', 'none in it'],
  ])('%s where it is %j is not there', async (device, shown, actual) => {
    vi.stubEnv('CUDA_VISIBLE_DEVICES', shown);
    try {
      const { code, data } = await failureOf(() => given(device));
      expect([code, data.actual]).toEqual(['device/unavailable', actual]);
      expect(data.operation).toContain(device);
    } finally {
      vi.unstubAllEnvs();
    }
  });
});
