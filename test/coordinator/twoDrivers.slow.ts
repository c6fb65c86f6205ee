import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { bundleKillTest } from '../../scripts/bundleKillTest.mjs';
import { twoDriversGenerated } from './killGenerated.ts';
import { noContainers } from './twoDrivers.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
const title = 'a run that two containers want to drive has one driver at a time, and comes to the same end';
const missing = noContainers();

// `node scripts/twoDrivers.mjs` does the same twenty times.
it.skipIf(missing !== undefined)(missing === undefined ? title : `${title} (skipped: ${missing})`, async () => {
  execFileSync(process.execPath, [path.join(ROOT, 'scripts/setup.mjs')], { stdio: 'ignore' });
  const cache = path.join(ROOT, 'node_modules/.cache');
  await mkdir(cache, { recursive: true });
  const folder = await mkdtemp(path.join(cache, 'two-drivers-'));
  try {
    const { cli } = await bundleKillTest(ROOT, folder);
    const report = await twoDriversGenerated({ cli, folder, times: 4, seed: 1, pause: 1500, log: () => undefined });
    expect(report.encounters).toEqual({ awake: 1, asleep: 1, waking: 1, killed: 1 });
    expect(report.refused + report.stopped).toBe(4);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
