import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { makeFolders } from '../../src/files/makeFolders.ts';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'espalier-folders-'));
  await mkdir(path.join(root, 'there'));
  await writeFile(path.join(root, 'file'), '');
  await symlink('there', path.join(root, 'link'));
  await symlink('nowhere', path.join(root, 'dangling'));
});
afterEach(() => rm(root, { recursive: true }));

it.each(['there', 'new', 'there/a/b/c', 'link', 'link/a/b', 'new/../other/a'])('makes %s', async (name) => {
  await Promise.all([makeFolders(path.join(root, name)), makeFolders(path.join(root, name))]);
  expect((await stat(path.join(root, name))).isDirectory()).toBe(true);
});

it.each([
  ['file', 'EEXIST'],
  ['file/a', 'ENOTDIR'],
  ['dangling', 'EEXIST'],
  ['dangling/a', 'EEXIST'],
])('refuses %s with %s', async (name, code) => {
  await expect(makeFolders(path.join(root, name))).rejects.toMatchObject({ code });
});

it.skipIf(!existsSync('/proc/self'))('gives up where the system makes none', async () => {
  await expect(makeFolders('/proc/x')).rejects.toMatchObject({ syscall: 'mkdir' });
  await expect(makeFolders('/proc/x/y/z')).rejects.toMatchObject({ syscall: 'mkdir', path: '/proc/x' });
});
