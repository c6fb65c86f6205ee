import { closeSync, existsSync, rmSync, symlinkSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FileProblem } from '../../src/files/fileProblem.ts';
import { openToAppendSync, openToRead, openToReadSync, openToUpdate } from '../../src/files/openRegular.ts';
import { checkRealFolders, checkRealFoldersSync, makeRealFolders } from '../../src/files/realFolders.ts';
import { writeWhole } from '../../src/files/writeWhole.ts';

let root: string;
let base: string;
let outside: string;
const at = (...names: string[]): string => path.join(base, ...names);

beforeEach(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'espalier-real-'));
  [base, outside] = [path.join(root, 'base'), path.join(root, 'outside')];
  for (const folder of [at('a', 'b'), path.join(outside, 'b')]) {
    await mkdir(folder, { recursive: true });
    await writeFile(path.join(folder, 'file'), 'x');
  }
});

afterEach(() => rm(root, { recursive: true, force: true }));

async function problemOf(action: () => unknown): Promise<FileProblem> {
  try {
    await action();
  } catch (error) {
    if (error instanceof FileProblem) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

const options = (): { links: 'refuse'; below: string } => ({ links: 'refuse', below: base });

const WAYS: Readonly<Record<string, (file: string) => unknown>> = {
  'to read': async (file) => (await openToRead(file, options())).close(),
  'to update': async (file) => (await openToUpdate(file, options())).close(),
  'to read, synchronously': (file) => {
    closeSync(openToReadSync(file, options()));
  },
  'to append': (file) => {
    closeSync(openToAppendSync(file, options()));
  },
  'to write whole': (file) => writeWhole(file, 'new', base),
  'its folder': (file) => checkRealFolders(base, path.dirname(file)),
  'its folder, synchronously': (file) => {
    checkRealFoldersSync(base, path.dirname(file));
  },
  'its folder, made': (file) => makeRealFolders(base, path.dirname(file)),
};

describe.each(Object.entries(WAYS))('a file below a folder, %s', (_, act) => {
  it('is reached by real folders, also where the first of all is a link', async () => {
    await act(at('a', 'b', 'file'));
    await symlink(base, `${base}-link`);
    base = `${base}-link`;
    await act(at('a', 'b', 'file'));
  });

  it.each([
    ['first', ['a']],
    ['last', ['a', 'b']],
  ])('is refused where the %s folder on the way is a link, and names it', async (_which, names) => {
    await rm(at(...names), { recursive: true });
    await symlink(names.length === 1 ? outside : path.join(outside, 'b'), at(...names));
    const { kind, message } = await problemOf(() => act(at('a', 'b', 'file')));
    expect([kind, message]).toEqual(['link', `${at(...names)}, which is a link`]);
    expect(await readdir(path.join(outside, 'b'))).toEqual(['file']);
  });

  it('is refused where it is not below', async () => {
    expect((await problemOf(() => act(path.join(outside, 'b', 'file')))).kind).toBe('link');
  });

  it('is refused where a file stands in the place of a folder', async () => {
    await rm(at('a'), { recursive: true });
    await writeFile(at('a'), '');
    expect((await problemOf(() => act(at('a', 'b', 'file')))).message).toBe(`${at('a')}, which is no folder`);
  });
});

describe('folders that are made', () => {
  it('are those that are missing', async () => {
    await makeRealFolders(at('new'), at('new', 'c', 'd'));
    await makeRealFolders(at('new'), at('new', 'c', 'd'));
    expect(existsSync(at('new', 'c', 'd'))).toBe(true);
  });
});

it('a folder that becomes a link between looking and opening is noticed', async () => {
  // As often as it takes: another process changes what the path means, over and over.
  const [real, aside] = [at('a', 'b'), at('a', 'aside')];
  const done = new AbortController();
  const swapping = (async () => {
    while (!done.signal.aborted) {
      await rename(real, aside);
      symlinkSync(path.join(outside, 'b'), real);
      await new Promise((resolve) => setImmediate(resolve));
      rmSync(real);
      await rename(aside, real);
      await new Promise((resolve) => setImmediate(resolve));
    }
  })();
  const { ino } = await (await import('node:fs/promises')).stat(path.join(outside, 'b', 'file'));
  for (let attempt = 0; attempt < 400; attempt++) {
    try {
      const handle = await openToRead(path.join(real, 'file'), options());
      const found = await handle.stat();
      await handle.close();
      expect(found.ino).not.toBe(ino);
    } catch (error) {
      expect(error).toBeInstanceOf(FileProblem);
    }
  }
  done.abort();
  await swapping;
});
