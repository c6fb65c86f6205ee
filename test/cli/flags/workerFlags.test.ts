import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { parseDuration } from '../../../src/cli/flags/duration.ts';
import { pathCheck } from '../../../src/cli/flags/readFolders.ts';
import { failureOf } from '../../support/expectCoded.ts';

it.each<[string, number]>([
  ['20s', 20_000],
  [' 10m ', 600_000],
  ['1.5h', 5_400_000],
  ['0s', 0],
])('%j is so many milliseconds', (text, expected) => {
  expect(parseDuration(text)).toBe(expected);
});

it.each(['', '10', 'm', '-1s', '1d', '1e3s', '1234567s'])('%j is no duration', (text) => {
  expect(() => parseDuration(text)).toThrow('It takes a duration');
});

describe('what a worker reads', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'espalier-read-'));
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });
  writeFileSync(path.join(folder, 'in'), '');
  symlinkSync('/etc/hostname', path.join(folder, 'link'));
  it.each<[string, string, boolean]>([
    ['what lies there', 'in', true],
    ['the folder itself', '.', true],
    ['what is not there yet', 'missing', true],
    ['what a link leads away from', 'link', false],
    ['what is above', '../x', false],
    ['what is elsewhere', '/etc/hostname', false],
  ])('%s', async (_, name, isRead) => {
    const check = pathCheck(['.'], folder);
    const asked = () => check(path.resolve(folder, name));
    if (isRead) await asked();
    else expect((await failureOf(asked)).code).toBe('queue/refused');
    await pathCheck(undefined, folder)(path.resolve(folder, name));
  });
});
