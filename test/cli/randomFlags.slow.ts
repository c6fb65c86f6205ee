import { execFileSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, it } from 'vitest';
import { ROOT } from './builtCommand.ts';
import { randomFlags } from './randomFlags.ts';

// `node scripts/randomFlags.mjs` does the same hundreds of times.
it('random flags end with a documented exit code, valid JSON, finite numbers, and the same number for the same fingerprint', async () => {
  execFileSync(process.execPath, [path.join(ROOT, 'scripts/setup.mjs')], { stdio: 'ignore' });
  const folder = await mkdtemp(path.join(tmpdir(), 'espalier-flags-'));
  try {
    const { codes, fingerprints, faults } = await randomFlags({
      cli: path.join(ROOT, 'dist/cli.cjs'),
      sample: path.join(ROOT, 'media/sample'),
      folder,
      runs: 14,
      seed: 1,
    });
    expect(faults).toEqual([]);
    expect(codes['0']).toBeGreaterThan(4);
    expect(fingerprints).toBeGreaterThan(3);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
