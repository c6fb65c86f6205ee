#!/usr/bin/env node
// Fails when a generated file differs from what `npm run generate` makes of today's schema and imports.
import { spawnSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

process.chdir(fileURLToPath(new URL('..', import.meta.url)));

const before = generatedFiles();
const { status } = spawnSync('npm', ['run', '--silent', 'generate'], { stdio: ['ignore', 'ignore', 'inherit'] });
if (status !== 0) process.exit(1);
const after = generatedFiles();
const changed = [...new Set([...before.keys(), ...after.keys()])].filter(
  (path) => before.get(path) !== after.get(path),
);
if (changed.length > 0) {
  console.error(`generated code was not current (it is now, commit it):\n  ${changed.join('\n  ')}`);
  process.exit(1);
}
console.log(`generated code is current (${after.size} files)`);

/** Path → content of everything that the generators write. */
function generatedFiles() {
  const paths = readdirSync('.', { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.') && entry.name !== 'node_modules')
    .flatMap((entry) =>
      readdirSync(entry.name, { recursive: true, encoding: 'utf8' }).map((path) => join(entry.name, path)),
    )
    .filter((path) => /_pb\.(js|d\.ts)$|^docs[\\/]architecture\.md$/.test(path));
  return new Map(paths.map((path) => [path, readFileSync(path, 'utf8')]));
}
