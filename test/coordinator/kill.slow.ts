import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { bundleKillTest } from '../../scripts/bundleKillTest.mjs';
import { KILL_METHODS, killGenerated } from './killGenerated.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');

// `node scripts/killTest.mjs --method …` does the same a hundred times.
it.skipIf(process.platform !== 'linux').each(KILL_METHODS)(
  'searches by %s whose workers and hosts are killed come to the same end',
  async (method) => {
    execFileSync(process.execPath, [path.join(ROOT, 'scripts/setup.mjs')], { stdio: 'ignore' });
    const cache = path.join(ROOT, 'node_modules/.cache');
    await mkdir(cache, { recursive: true });
    const folder = await mkdtemp(path.join(cache, 'kill-test-'));
    try {
      const parts = await bundleKillTest(ROOT, folder);
      const report = await killGenerated({
        ...parts,
        ...{ method, kills: 8, hosts: 4, seed: 1, pause: 1500, log: () => undefined },
      });
      expect(report).toMatchObject({ kills: 8, hosts: 4 });
      expect(report.resumed).toBeGreaterThan(0);
      expect(report.slowestEnd).toBeLessThan(5000);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
);
