#!/usr/bin/env node
// End-to-end tests: installs a real VS Code, makes the VSIX, installs it as a user would and acts as a person in the window.
// ESPALIER_E2E_DIR: where VS Code is installed (default .cache/vscode).
// ESPALIER_E2E_STORIES: names of the stories to be told (`tree,looking`); all of them by default.
// ESPALIER_E2E_WORK: where everything is written, pictures too (default .cache/e2e, and the pictures to test-results).
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
process.chdir(root);
const shared = resolve('../shared');
const vscode = resolve(process.env.ESPALIER_E2E_DIR ?? '.cache/vscode');
const work = resolve(process.env.ESPALIER_E2E_WORK ?? '.cache/e2e');
const pictures = process.env.ESPALIER_E2E_WORK ? join(work, 'pictures') : resolve('test-results');
const only = (process.env.ESPALIER_E2E_STORIES ?? '').split(',').filter((name) => name !== '');

if (!existsSync(join(shared, 'tools/install-vscode-server'))) {
  console.log('skipped: ../shared/tools/install-vscode-server is not here, which installs the VS Code to drive');
  console.log('0 passed, 0 failed');
  process.exit(0);
}
run('bash', [join(shared, 'tools/install-vscode-server'), vscode]);
mkdirSync(work, { recursive: true });
run(process.execPath, ['scripts/package.mjs', '--out', work]);
await build({
  entryPoints: ['test/e2e/main.ts'],
  outfile: join(work, 'main.mjs'),
  bundle: true,
  platform: 'node',
  format: 'esm',
  packages: 'external',
  // Node finds no file by a name without its ending.
  alias: { 'vscode-jsonrpc/node': 'vscode-jsonrpc/node.js' },
  logLevel: 'warning',
});
const { runStories, STORY_NAMES } = await import(pathToFileURL(join(work, 'main.mjs')).href);
const first = await tell(only, pictures);
const again = [...new Set(first.failures.map((failure) => failure.split(' / ', 1)[0]))];
if (again.length === 0 || again.length > 2 || !again.every((name) => STORY_NAMES.includes(name))) {
  finish(first.passed, first.failures);
}
// A key that VS Code lost is not a fault of ours; a fault of ours fails twice. What failed first stays in the output.
console.log(`told once more in a new window: ${again.join(', ')}`);
const second = await tell(again, join(pictures, 'once-more'));
finish(first.passed + (second.failures.length === 0 ? first.failures.length : 0), second.failures);

async function tell(names, folder) {
  try {
    return await runStories({ root, shared, vscode, work, pictures: folder, only: names });
  } catch (error) {
    console.log(error);
    return { passed: 0, failures: [`broke off: ${String(error).split('\n', 1)[0]}`] };
  }
}

function run(command, parameters) {
  const { status } = spawnSync(command, parameters, { stdio: ['ignore', 'inherit', 'inherit'] });
  if (status !== 0) finish(0, [`${command} ${parameters.join(' ')}`]);
}

/** What failed stands last, where the end of a long output is all that is looked at. */
function finish(passed, failures) {
  for (const failure of failures) console.log(`failed: ${failure}`);
  console.log(`${passed} passed, ${failures.length} failed`);
  process.exit(failures.length > 0 || passed === 0 ? 1 : 0);
}
