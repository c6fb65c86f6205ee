import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { killGenerated } from './killGenerated.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');

// `node scripts/killTest.mjs` does the same a hundred times.
it.skipIf(process.platform !== 'linux')(
  'searches whose workers and hosts are killed come to the same end',
  async () => {
    execFileSync(process.execPath, [path.join(ROOT, 'scripts/setup.mjs')], { stdio: 'ignore' });
    const cache = path.join(ROOT, 'node_modules/.cache');
    await mkdir(cache, { recursive: true });
    const folder = await mkdtemp(path.join(cache, 'kill-test-'));
    try {
      const cli = path.join(ROOT, 'dist/cli.cjs');
      const report = await killGenerated({
        cli,
        folder,
        kills: 8,
        hosts: 4,
        seed: 1,
        pause: 1500,
        log: () => undefined,
      });
      expect(report).toMatchObject({ kills: 8, hosts: 4 });
      expect(report.resumed).toBeGreaterThan(0);
      expect(report.slowestEnd).toBeLessThan(5000);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
);
