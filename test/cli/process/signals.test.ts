import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { builtCommand, inputsOf, jsonLines } from '../builtCommand.ts';
import type { BuiltCommand } from '../builtCommand.ts';

const INPUTS = inputsOf({ samples: 4, blocks: 8 });

let command: BuiltCommand;
beforeAll(async () => {
  command = await builtCommand({ family: 'llama-1', characters: 40_000 });
  // What is remembered between runs is nothing that is left behind.
  await mkdir(join(command.folder, 'cache'));
}, 180_000);
afterAll(() => command.remove());

describe('a command that is stopped', () => {
  // Forty models over the whole text: far more work than the test waits for.
  const sparsities = Array.from({ length: 40 }, (_, i) => `${i + 1}%`).join(',');
  const long = () => ['evaluate', '--expression', 'W', ...INPUTS, '--blocks', '0', '--sparsity', sparsities];

  it.each([
    ['SIGHUP', 129],
    ['SIGINT', 130],
    ['SIGQUIT', 131],
    ['SIGTERM', 143],
  ] as const)('%s in the middle: exit code %d, soon, and nothing is left behind', async (signal, code) => {
    const before = await readdir(command.folder);
    let sent = 0;
    const { status, out, err } = await command.espalier(long(), {
      during: (child) => {
        setTimeout(() => {
          sent = performance.now();
          child.kill(signal);
        }, 2000);
      },
    });
    expect({ status, out }).toEqual({ status: code, out: '' });
    expect(err).toMatch(/(^|\n)interrupted\n$/);
    expect(performance.now() - sent).toBeLessThan(5000);
    expect(await readdir(command.folder)).toEqual(before);
  });

  it('a reader that goes away ends it quietly', async () => {
    const words = ['tokens', '--model', 'model', '--text', 'text.txt', '--ids'];
    const { status, err } = await command.espalier(words, { during: (child) => child.stdout.destroy() });
    expect({ status, err }).toEqual({ status: 141, err: '' });
  });

  it('standard error that is closed does not stop it', async () => {
    const { status, out } = await command.espalier(['evaluate', ...INPUTS, '--json'], {
      during: (child) => child.stderr.destroy(),
    });
    expect(status).toBe(0);
    expect(jsonLines({ out })).toMatchObject([{ metric: 'dense' }]);
  });
});
