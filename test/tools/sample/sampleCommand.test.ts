import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { createTerminal } from '../../../src/cli/terminal.ts';
import { runSampleCommand } from '../../../tools/sample/sampleCommand.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'espalier-sample-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

async function sample(words: string, signal?: AbortSignal): Promise<{ code: number; out: string; err: string }> {
  const written = { out: '', err: '' };
  const stream = (name: 'out' | 'err') => ({
    write: (text: string) => {
      written[name] += text;
    },
  });
  const code = await runSampleCommand(
    words.split(' ').filter((word) => word !== ''),
    {
      terminal: createTerminal(stream('out'), stream('err'), {}),
      folder,
      signal: signal ?? new AbortController().signal,
    },
  );
  return { code, ...written };
}

describe('npm run sample', () => {
  it.each([
    ['--steps 0', 'at least 1'],
    ['--steps many', 'whole number'],
    ['--seed -1', '--seed'],
    ['--seed=-1', 'whole number'],
    ['--seed 1.5', 'whole number'],
    ['--threads 1e3', 'whole number'],
    ['--size 3', "Unknown option '--size'"],
    ['sample', 'sample'],
  ])('%s is refused before anything is written', async (words, message) => {
    const { code, out, err } = await sample(words);
    expect(err).toContain(message);
    expect({ code, out, files: readdirSync(folder) }).toEqual({ code: 2, out: '', files: [] });
  });

  it('stops when it is interrupted', async () => {
    const { code, out, err } = await sample('', AbortSignal.abort());
    expect({ code, out, err }).toEqual({ code: 130, out: '', err: 'interrupted\n' });
  });

  it('explains itself', async () => {
    const { code, out } = await sample('--help');
    expect(code).toBe(0);
    for (const word of ['--out', '--seed', '--steps', '--threads', '--json', 'Examples:']) expect(out).toContain(word);
  });
});
