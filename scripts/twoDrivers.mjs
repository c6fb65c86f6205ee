#!/usr/bin/env node
// Lets processes of different PID namespaces, as of two containers, want to drive the same search, where the first one goes on, sleeps, wakes up
// at an unfortunate moment or is killed. Fails unless one drives at a time, nothing is damaged or lost, and the search comes to what an
// undisturbed one comes to. Linux, as root.
// Usage: twoDrivers.mjs [--times 20] [--seed 0]
//   --times N    searches
//   --pause MS   longest time that something is waited for by chance
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { bundleKillTest } from './bundleKillTest.mjs';

const { values } = parseArgs({
  options: {
    times: { type: 'string', default: '20' },
    seed: { type: 'string', default: '0' },
    pause: { type: 'string', default: '1500' },
  },
});
const root = fileURLToPath(new URL('..', import.meta.url));
const cache = join(root, 'node_modules/.cache');
mkdirSync(cache, { recursive: true });
const folder = mkdtempSync(join(cache, 'two-drivers-'));
try {
  const { bundle, cli } = await bundleKillTest(root, folder);
  const { noContainers, twoDriversGenerated } = await import(pathToFileURL(bundle).href);
  const missing = noContainers();
  if (missing !== undefined) throw new Error(missing);
  const [times, seed, pause] = [values.times, values.seed, values.pause].map(Number);
  const began = Date.now();
  const report = await twoDriversGenerated({ cli, folder, times, seed, pause, log: console.log });
  const met = Object.entries(report.encounters).map(([encounter, count]) => `${count} ${encounter}`);
  console.log(
    `${times} searches of ${report.events} events with two drivers or three (the first ${met.join(', ')}), ${Math.round((Date.now() - began) / 1000)} s: ` +
      `${report.refused} refused, ${report.stopped} stopped; nothing damaged, nothing lost, every search the same`,
  );
} finally {
  rmSync(folder, { recursive: true, force: true });
}
