import { existsSync, readdirSync } from 'node:fs';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { builtCommand, inputsOf } from '../builtCommand.ts';
import type { BuiltCommand, Ended, Running } from '../builtCommand.ts';

const INPUTS = inputsOf({ samples: 4, blocks: 8 });

let command: BuiltCommand;
beforeAll(async () => {
  command = await builtCommand({ family: 'llama-1', characters: 40_000 });
}, 180_000);
afterAll(() => command.remove());

/** Where these tests' processes have their temporary files. */
const temporary = (): string => join(command.folder, 'tmp');

/** What is half done there, and where these tests export to. */
const unfinished = (): string[] =>
  [temporary(), join(command.folder, 'exports')]
    .flatMap((place) => (existsSync(place) ? readdirSync(place) : []))
    .filter((name) => name.endsWith('.tmp'));

/** Runs the command, and does something to it once something is half done. */
async function whenItWrites(words: readonly string[], act: (child: Running) => void): Promise<Ended> {
  await mkdir(temporary(), { recursive: true });
  const before = unfinished();
  return command.espalier(words, {
    env: { TMPDIR: temporary() },
    during: (child) => {
      const timer = setInterval(() => {
        if (child.exitCode === null && unfinished().every((name) => before.includes(name))) return;
        clearInterval(timer);
        act(child);
      }, 20);
    },
  });
}

describe('a command that is stopped while it writes', () => {
  const endless: Readonly<Record<string, () => string[]>> = {
    speed: () => ['speed', '--expression', 'W', '--sparsity', '50%', ...INPUTS, '--rounds', '99999'],
    export: () => ['export', '--expression', 'W * X', '--to', 'exports/model', ...INPUTS, '--samples', '60000'],
  };

  it.each([
    ['speed', 'SIGHUP', 129],
    ['speed', 'SIGQUIT', 131],
    ['speed', 'SIGTERM', 143],
    ['export', 'SIGHUP', 129],
    ['export', 'SIGQUIT', 131],
  ] as const)('%s in the middle of %s: no temporary folder is left', async (name, signal, code) => {
    const { status } = await whenItWrites(endless[name]!(), (child) => child.kill(signal));
    expect(status).toBe(code);
    expect(unfinished()).toEqual([]);
  });

  it('what a killed export and a killed measurement leave is removed by the next', async () => {
    for (const name of ['export', 'speed']) {
      const { status } = await whenItWrites(endless[name]!(), (child) => child.kill('SIGKILL'));
      expect(status).toBe('SIGKILL');
    }
    const [measured, exported] = [/^espalier-speed\..*\.tmp$/, /^model\..*\.tmp$/].map(
      (name) => expect.stringMatching(name) as string,
    );
    expect(unfinished()).toEqual([measured, exported]);
    await writeFile(join(command.folder, 'exports/model.mine.tmp'), 'of a person');
    const again = ['export', '--expression', 'W', '--to', 'exports/model', ...INPUTS];
    expect((await command.espalier(again)).status).toBe(0);
    expect((await readdir(join(command.folder, 'exports'))).sort()).toEqual(['model', 'model.mine.tmp']);
    await whenItWrites(endless['speed']!(), (child) => child.kill('SIGTERM'));
    expect(unfinished()).toEqual(['model.mine.tmp']);
  });
});
