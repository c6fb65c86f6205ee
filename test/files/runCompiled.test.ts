import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { buildSync } from 'esbuild';
import { afterAll, beforeAll, expect, it } from 'vitest';

const root = mkdtempSync(path.join(tmpdir(), 'espalier-compiled-'));
const program = path.join(root, 'program.cjs');
const compiled = path.join(root, 'cache/compiled');

beforeAll(() => {
  const contents = `import { runCompiled } from './src/files/runCompiled.ts'; runCompiled(${JSON.stringify(program)}, 'name', ${JSON.stringify(path.join(root, 'cache'))});`;
  buildSync({
    stdin: { contents, resolveDir: path.resolve(import.meta.dirname, '../..'), loader: 'ts' },
    ...{ bundle: true, platform: 'node', format: 'cjs', outfile: path.join(root, 'start.cjs') },
  });
  mkdirSync(path.join(root, 'cache'));
});
afterAll(() => {
  rmSync(root, { recursive: true });
});

const run = (): string => execFileSync(process.execPath, [path.join(root, 'start.cjs')], { encoding: 'utf8' }).trim();
const entries = (): string[] => readdirSync(compiled).map((name) => path.join(compiled, name));

it('a program runs, from what was compiled or without it, whatever lies there', () => {
  const says = (what: string): void => {
    writeFileSync(program, `#!/usr/bin/env node\nconsole.log(${JSON.stringify(what)}, __filename);`);
  };
  says('one');
  expect([run(), run()]).toEqual([`one ${program}`, `one ${program}`]);
  const [entry] = entries();
  const whole = readFileSync(entry!);
  const written = statSync(entry!).mtimeMs;
  run();
  // What was taken is not written again.
  expect(statSync(entry!).mtimeMs).toBe(written);
  // V8 itself would take it for the same: another text of the same length.
  says('two');
  expect(run()).toBe(`two ${program}`);
  expect(entries()).toHaveLength(2);
  says('one');
  const damages = [whole.subarray(0, 20), whole.subarray(0, -1), Buffer.from(whole).fill(0, 100, 200), Buffer.alloc(0)];
  for (const damaged of damages) {
    writeFileSync(entry!, damaged);
    expect(run()).toBe(`one ${program}`);
    // It was left aside and made anew.
    expect(readFileSync(entry!).equals(damaged)).toBe(false);
  }
  if (process.platform === 'win32') return;
  chmodSync(entry!, 0o666);
  run();
  // What others could have written is not run, but replaced.
  expect(statSync(entry!).mode & 0o022).toBe(0);
});
