#!/usr/bin/env node
// Ends the workers and the hosts of searches by SIGKILL at random moments, from a seed, and fails unless every search comes to what an
// undisturbed one comes to, with nothing lost and nothing asked for twice. Linux. Usage: killTest.mjs [--kills 100] [--hosts 20] [--seed 0]
//   --kills N    workers to kill (4 a search)
//   --hosts N    processes to kill that drive a search
//   --pause MS   longest time between two kills
import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '100' },
    hosts: { type: 'string', default: '20' },
    seed: { type: 'string', default: '0' },
    pause: { type: 'string', default: '1500' },
  },
});
const root = fileURLToPath(new URL('..', import.meta.url));
const cache = join(root, 'node_modules/.cache');
mkdirSync(cache, { recursive: true });
const folder = mkdtempSync(join(cache, 'kill-test-'));
try {
  const bundle = join(folder, 'killTest.mjs');
  await build({
    entryPoints: [join(root, 'test/coordinator/killGenerated.ts')],
    outfile: bundle,
    bundle: true,
    platform: 'node',
    format: 'esm',
    packages: 'external',
    logLevel: 'warning',
  });
  const { killGenerated } = await import(pathToFileURL(bundle).href);
  const [kills, hosts, seed, pause] = [values.kills, values.hosts, values.seed, values.pause].map(Number);
  // A build meanwhile must not change what is tested.
  for (const name of ['cli.cjs', 'worker.cjs', 'openAiPackage.cjs'])
    cpSync(join(root, 'dist', name), join(folder, name));
  const began = Date.now();
  const report = await killGenerated({
    cli: join(folder, 'cli.cjs'),
    folder,
    ...{ kills, hosts, seed, pause, log: console.log },
  });
  const { searches, candidates, slowestEnd } = report;
  console.log(
    `${report.kills} workers and ${report.hosts} hosts killed (and ${report.resumed} times resumed) in ${searches} searches of ${candidates} candidates, ` +
      `${Math.round((Date.now() - began) / 1000)} s: nothing lost, nothing asked for twice, every search the same; ` +
      `workers were gone ${Math.round(slowestEnd)} ms after their host at the latest`,
  );
} finally {
  rmSync(folder, { recursive: true, force: true });
}
