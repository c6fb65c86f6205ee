#!/usr/bin/env node
// `npm run evaluate -- …` is `espalier evaluate …`. Without arguments it shows what Espalier does, on the sample that ships with it:
// evaluates the sample's experiments, then evolves metrics for about a minute and shows what it found.
import { spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const cli = join(root, 'dist/cli.cjs');
const given = process.argv.slice(2);

if (given.length > 0) {
  process.argv = [process.argv[0], cli, 'evaluate', ...given];
  await import('../dist/cli.cjs');
} else {
  const sample = relative(process.cwd(), join(root, 'media/sample/metrics.prune'));
  const workers = Math.min(2, availableParallelism());
  for (const words of [
    ['evaluate', sample],
    ['evolve', sample, '--workers', String(workers)],
  ]) {
    console.error(`\n$ npx espalier ${words.join(' ')}\n`);
    const { status } = spawnSync(process.execPath, [cli, ...words], { stdio: 'inherit' });
    if (status !== 0) process.exit(status ?? 1);
  }
}
