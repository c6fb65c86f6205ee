#!/usr/bin/env node
// Ends the workers and the hosts of searches by SIGKILL at random moments, from a seed, and fails unless every search comes to what an
// undisturbed one comes to, with nothing lost and nothing asked for twice. Linux.
// Usage: killTest.mjs [--method pruner-zero|self-pruner|evopress|policy-gradient|lora|norms] [--kills 100] [--hosts 20] [--seed 0]
//   --method M   what searches, or recovers; self-pruner asks a scripted language model, and is killed while it waits for it, too
//   --kills N    workers to kill (4 a search)
//   --hosts N    processes to kill that drive a search
//   --pause MS   longest time between two kills
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { bundleKillTest } from './bundleKillTest.mjs';

const { values } = parseArgs({
  options: {
    method: { type: 'string', default: 'pruner-zero' },
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
  const { bundle, ...parts } = await bundleKillTest(root, folder);
  const { killGenerated, KILL_METHODS } = await import(pathToFileURL(bundle).href);
  const { method } = values;
  if (!KILL_METHODS.includes(method)) throw new Error(`--method is one of ${KILL_METHODS.join(', ')}, not ${method}`);
  const [kills, hosts, seed, pause] = [values.kills, values.hosts, values.seed, values.pause].map(Number);
  const began = Date.now();
  const report = await killGenerated({ ...parts, method, kills, hosts, seed, pause, log: console.log });
  const { searches, events, slowestEnd } = report;
  console.log(
    `${method}: ${report.kills} workers and ${report.hosts} hosts killed (and ${report.resumed} times resumed) in ${searches} searches of ` +
      `${events} events, ${Math.round((Date.now() - began) / 1000)} s: nothing lost, nothing asked for twice, every search the same` +
      `${report.differing > 0 ? ` (${report.differing} up to a reply that was lost, and from there on the same as a replay of it)` : ''}; workers were gone ${Math.round(slowestEnd)} ms after their host at the latest`,
  );
} finally {
  rmSync(folder, { recursive: true, force: true });
}
