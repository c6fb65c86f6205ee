#!/usr/bin/env node
// Runs the command line with random combinations of flags on the sample model, from a seed, and fails unless every command ends with a
// documented exit code, every line of JSON is valid, every number is finite, and equal fingerprints mean equal numbers.
// Usage: randomFlags.mjs [--runs 300] [--seed 0]
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';

const { values } = parseArgs({
  options: { runs: { type: 'string', default: '300' }, seed: { type: 'string', default: '0' } },
});
const root = fileURLToPath(new URL('..', import.meta.url));
const cache = join(root, 'node_modules/.cache');
mkdirSync(cache, { recursive: true });
const folder = mkdtempSync(join(cache, 'random-flags-'));
try {
  const bundle = join(folder, 'randomFlags.mjs');
  await build({
    entryPoints: [join(root, 'test/cli/randomFlags.ts')],
    outfile: bundle,
    bundle: true,
    platform: 'node',
    format: 'esm',
    logLevel: 'warning',
  });
  const { randomFlags } = await import(pathToFileURL(bundle).href);
  const began = Date.now();
  const { codes, fingerprints, faults } = await randomFlags({
    cli: join(root, 'dist/cli.cjs'),
    sample: join(root, 'media/sample'),
    folder,
    runs: Number(values.runs),
    seed: Number(values.seed),
    log: console.log,
  });
  const counts = Object.entries(codes).map(([code, count]) => `${count} with ${code}`);
  console.log(
    `${values.runs} commands ended, ${counts.join(', ')}; ${fingerprints} fingerprints, each with one number; ` +
      `${faults.length} faults, ${Math.round((Date.now() - began) / 1000)} s`,
  );
  process.exitCode = faults.length === 0 ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
