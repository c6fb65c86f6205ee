import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { python } from './peer.ts';

const DRIVER = fileURLToPath(new URL('reference/modelingDriver.py', import.meta.url));

/** Logits [tokens, vocabulary] that the modelling file of each folder computes, with PyTorch alone. */
export async function modeledLogits(folders: readonly string[], ids: Int32Array): Promise<readonly Float32Array[]> {
  const to = await mkdtemp(join(tmpdir(), 'espalier-modeling-'));
  try {
    const input = JSON.stringify({ folders, ids: [...ids], to });
    const { status, stderr } = spawnSync(python()!, [DRIVER], { input, encoding: 'utf8' });
    if (status !== 0) throw new Error(`the modelling file ended with ${String(status)}:\n${stderr}`);
    return await Promise.all(
      folders.map(
        async (_, index) => new Float32Array(new Uint8Array(await readFile(join(to, `${index}.f32`))).buffer),
      ),
    );
  } finally {
    await rm(to, { recursive: true });
  }
}
