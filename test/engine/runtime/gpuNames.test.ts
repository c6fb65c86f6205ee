import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { gpuNames } from '../../../src/engine/runtime/gpuNames.ts';

// A stand-in for nvidia-smi, which writes what the real one does for the question that it is asked.

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'espalier-smi-'));
  const file = path.join(folder, 'nvidia-smi');
  const lines = ['0, GPU-8932f937-d72c, NVIDIA A100-SXM4-40GB', '1, GPU-1f2e33aa-0b5c, NVIDIA H100 80GB HBM3'];
  const asked = '--query-gpu=index,uuid,name --format=csv,noheader';
  await writeFile(file, `#!/bin/sh\n[ "$*" = "${asked}" ] || exit 1\ncat <<'END'\n${lines.join('\n')}\nEND\n`);
  await chmod(file, 0o755);
});
afterAll(() => rm(folder, { recursive: true }));

it.runIf(process.platform !== 'win32').each<[string | undefined, string[]]>([
  [undefined, ['NVIDIA A100-SXM4-40GB', 'NVIDIA H100 80GB HBM3']],
  ['1', ['NVIDIA H100 80GB HBM3']],
  ['1, GPU-8932', ['NVIDIA H100 80GB HBM3', 'NVIDIA A100-SXM4-40GB']],
  ['MIG-7', ['MIG-7']],
  ['', []],
])('GPUs where CUDA_VISIBLE_DEVICES is %s', async (shown, names) => {
  vi.stubEnv('PATH', `${folder}:${process.env['PATH']}`);
  try {
    expect(await gpuNames({ CUDA_VISIBLE_DEVICES: shown })).toEqual(names);
  } finally {
    vi.unstubAllEnvs();
  }
});

it('has no names where nvidia-smi is not there', async () => {
  vi.stubEnv('PATH', '/nowhere');
  try {
    expect(await gpuNames({})).toEqual([]);
  } finally {
    vi.unstubAllEnvs();
  }
});
