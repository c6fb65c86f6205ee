import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { builtCommand, jsonLines } from '../builtCommand.ts';
import type { BuiltCommand } from '../builtCommand.ts';

let command: BuiltCommand;
beforeAll(async () => {
  command = await builtCommand({ family: 'llama-1', characters: 40_000 });
  await writeFile(join(command.folder, 'wrong.prune'), 'metric fine = W\nmetric mine = tnah(W)\n');
  await writeFile(join(command.folder, 'latin1.prune'), Buffer.from([0x2f, 0x2f, 0xe9, 0x0a]));
  await writeFile(join(command.folder, 'huge.prune'), '//'.repeat(3 << 20));
}, 180_000);
afterAll(() => command.remove());

describe('what is wrong is said, with exit code 2 and nothing on standard output', () => {
  it.each<[string, string[], string]>([
    ['errors of a file', ['evaluate', 'wrong.prune'], 'wrong.prune:2:15: error: '],
    ['with their line', ['evaluate', 'wrong.prune'], '  metric mine = tnah(W)\n                ^^^^'],
    [
      'no such file',
      ['evaluate', 'nothing.prune'],
      'reading nothing.prune: expected a .prune file in UTF-8, got no such file',
    ],
    ['a folder', ['evaluate', 'model'], 'got a folder'],
    ['a device', ['evaluate', '/dev/null'], 'got a pipe or a device'],
    ['far too large', ['evaluate', 'huge.prune'], 'bytes [io/read]'],
    ['not UTF-8', ['evaluate', 'latin1.prune'], 'bytes that are not UTF-8'],
    ['a metric that is not there', ['evaluate', 'metrics.prune', '--metric', 'wnada', '--model', 'model'], 'wanda'],
    ['no checkpoint', ['evaluate', '--model', 'nothing', '--text', 'text.txt'], '[checkpoint/not-found]'],
    ['a file for a checkpoint', ['evaluate', '--model', 'text.txt', '--text', 'text.txt'], '[checkpoint/'],
    ['no text', ['evaluate', '--model', 'model', '--text', 'nothing'], '[corpus/not-found]'],
    ['a folder for a text', ['evaluate', '--model', 'model', '--text', 'model'], '[corpus/'],
    ['a text that is too short', ['evaluate', '--model', 'model', '--text', 'metrics.prune'], '[corpus/too-short]'],
    [
      'X without calibration',
      ['evaluate', '--expression', 'X * W', '--model', 'model', '--text', 'text.txt'],
      'calibration',
    ],
    [
      'G without calibration',
      ['evaluate', '--expression', 'G * W', '--model', 'model', '--text', 'text.txt'],
      'calibration',
    ],
    ['tokens of nothing', ['tokens', '--model', 'model', '--text', 'nothing'], '[corpus/not-found]'],
  ])('%s', async (_, words, message) => {
    const { status, out, err } = await command.espalier(words);
    expect(err).toContain(message);
    expect({ status, out }).toEqual({ status: 2, out: '' });
  });

  it('as JSON with places', async () => {
    const { status, out, err } = await command.espalier(['evaluate', 'wrong.prune', '--json']);
    expect({ status, err }).toEqual({ status: 2, err: '' });
    expect(jsonLines({ out })).toMatchObject([
      {
        error: {
          code: 'language/errors',
          diagnostics: [{ file: 'wrong.prune', line: 2, column: 15, severity: 'error' }],
        },
      },
    ]);
  });
});

it.each([
  ['an argument', ['evaluate', '\u001b]0;owned\u0007.prune']],
  ['a flag', ['evaluate', '--\u001b[2J']],
  ['a path', ['tokens', '--model', '\u001b[31mmodel', '--text', 'text.txt']],
  ['a name of a run', ['runs', 'show', '\u009b2J']],
  ['a file', ['evaluate', 'hostile.prune']],
])('no escape of a terminal comes through: %s', async (_, words) => {
  await writeFile(join(command.folder, 'hostile.prune'), 'metric mine = tnah(W) // \u001b]52;c;eA==\u0007\n');
  const { status, out, err } = await command.espalier(words);
  expect(status).toBe(2);
  expect(err).toMatch(/\\u00(1b|9b)/);
  for (const control of ['\u001b', '\u0007', '\u009b']) expect(out + err).not.toContain(control);
});
