#!/usr/bin/env node
// Makes a checkout ready: dependencies installed, bundles built. Does only what is missing and prints one line. Runs before
// anything is installed, so it uses nothing but Node itself.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const OLDEST_NODE = 20;
const BUILD_INPUTS = [
  'src',
  'webview-ui',
  'bench',
  'tools',
  'scripts/build.mjs',
  'package.json',
  'package-lock.json',
  'tsconfig.json',
];

process.chdir(fileURLToPath(new URL('..', import.meta.url)));
let steps = 0;

if (Number(process.versions.node.split('.')[0]) < OLDEST_NODE) {
  fail(`Node ${OLDEST_NODE} or newer is needed, this is ${process.version}. Install a newer Node and try again.`);
}
if (!dependenciesMatchLockFile()) {
  // .npmrc turns install scripts off: nothing here needs one, and onnxruntime-node's would download CUDA files.
  run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], 'installing dependencies');
}
if (!bundlesAreCurrent()) {
  run(process.execPath, ['scripts/build.mjs'], 'building');
}
process.stderr.write(steps > 0 ? ' done\n' : 'setup: up to date\n');

/**
 * npm writes what it installed to node_modules/.package-lock.json as its last step. All of it must be what package-lock.json
 * asks for, and everything that is not optional (other platforms' binaries are) must be there.
 */
function dependenciesMatchLockFile() {
  const hidden = 'node_modules/.package-lock.json';
  if (!existsSync(hidden)) return false;
  const wanted = JSON.parse(readFileSync('package-lock.json', 'utf8')).packages;
  const installed = JSON.parse(readFileSync(hidden, 'utf8')).packages;
  const same = (name) => wanted[name]?.version === installed[name]?.version && existsSync(name);
  return (
    Object.keys(installed).every(same) &&
    Object.entries(wanted).every(([name, entry]) => name === '' || entry.optional || entry.devOptional || same(name))
  );
}

function bundlesAreCurrent() {
  if (!existsSync('dist/.built')) return false;
  const built = statSync('dist/.built').mtimeMs;
  return BUILD_INPUTS.every((path) => newest(path) <= built);
}

/** Latest modification below a path; folders count too, so that a deleted file is noticed. */
function newest(path) {
  const entry = statSync(path);
  if (!entry.isDirectory()) return entry.mtimeMs;
  return Math.max(entry.mtimeMs, ...readdirSync(path).map((name) => newest(join(path, name))));
}

function run(command, parameters, what) {
  process.stderr.write(`${steps++ === 0 ? 'setup:' : ','} ${what} …`);
  const result = spawnSync(command, parameters, {
    stdio: ['ignore', 'pipe', 'pipe'],
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    shell: process.platform === 'win32' && command === 'npm',
  });
  if (result.status !== 0) {
    const output = `${result.stdout ?? ''}${result.stderr ?? ''}`.trim();
    fail(`${what} failed${result.error ? ` (${result.error.message})` : ''}:\n${output}`);
  }
}

function fail(message) {
  process.stderr.write(`${steps > 0 ? '\n' : ''}setup: ${message}\n`);
  process.exit(1);
}
