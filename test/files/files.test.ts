import { execFileSync } from 'node:child_process';
import { closeSync, constants } from 'node:fs';
import { link, mkdir, mkdtemp, open, readFile, rm, symlink, truncate, utimes, writeFile, stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { EspalierError } from '../../src/base/errors.ts';
import { FileProblem } from '../../src/files/fileProblem.ts';
import { isSettled, sameVersion, versionOf } from '../../src/files/fileVersion.ts';
import { isInside } from '../../src/files/inside.ts';
import { openToAppendSync, openToRead, openToReadSync, openToUpdate } from '../../src/files/openRegular.ts';
import { readBytes, readText } from '../../src/files/readBytes.ts';

let root: string;

beforeAll(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'espalier-files-'));
});

afterAll(async () => {
  await rm(root, { recursive: true, force: true });
});

const at = (name: string): string => path.join(root, name);

async function problemOf(action: () => unknown): Promise<FileProblem> {
  try {
    await action();
  } catch (error) {
    if (error instanceof FileProblem) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

describe.skipIf(process.platform === 'win32')(
  'what is no regular file is refused at once, by every way to open it',
  () => {
    const ways = {
      'to read': (file: string) => openToRead(file),
      'to read, without links': (file: string) => openToRead(file, { links: 'refuse' }),
      'to read, synchronously': (file: string) => {
        closeSync(openToReadSync(file));
      },
      'to update': (file: string) => openToUpdate(file),
      'to append': (file: string) => {
        closeSync(openToAppendSync(file, { links: 'refuse' }));
      },
      whole: (file: string) => readBytes(file, { maxBytes: 100 }),
      'as text': (file: string) => readText(file, { maxBytes: 100 }),
    };
    const server = createServer();

    beforeAll(async () => {
      execFileSync('mkfifo', [at('pipe')]);
      await mkdir(at('folder'));
      await new Promise<void>((resolve) => server.listen(at('socket'), resolve));
    });

    afterAll(() => server.close());

    for (const [way, opens] of Object.entries(ways)) {
      it.each([
        ['pipe', 'special'],
        ['socket', 'special'],
        ['folder', 'folder'],
      ])(`%s, ${way}`, async (name, kind) => {
        expect((await problemOf(() => opens(at(name)))).kind).toBe(kind);
      });
      it(`/dev/zero, ${way}`, async () => {
        expect((await problemOf(() => opens('/dev/zero'))).kind).toBe('special');
      });
    }
  },
);

describe('links', () => {
  beforeAll(async () => {
    await writeFile(at('real'), 'text');
    await symlink('real', at('link'));
    await symlink('nowhere', at('dangling'));
  });

  it('are followed by default', async () => {
    expect(await readText(at('link'), { maxBytes: 10 })).toBe('text');
  });

  it.each(['link', 'dangling'])('%s is refused where none are followed', async (name) => {
    for (const opens of [openToRead, openToUpdate, openToReadSync, openToAppendSync]) {
      expect((await problemOf(() => opens(at(name), { links: 'refuse' }))).kind).toBe('link');
    }
    expect(await readFile(at('real'), 'utf8')).toBe('text');
  });

  it('a hard link is a file like any other', async () => {
    await link(at('real'), at('hard'));
    expect(await readText(at('hard'), { maxBytes: 10, links: 'refuse' })).toBe('text');
  });
});

describe('reading is bounded', () => {
  it('by what is asked for, before anything is read', async () => {
    await writeFile(at('long'), '');
    await truncate(at('long'), 2 ** 40);
    const { kind, message } = await problemOf(() => readBytes(at('long'), { maxBytes: 2 ** 20 }));
    expect([kind, message]).toEqual(['too-large', `${2 ** 40} bytes`]);
  });

  it('a missing file says so', async () => {
    for (const name of ['none', 'real/below']) {
      expect((await problemOf(() => readBytes(at(name), { maxBytes: 10 }))).missing).toBe(true);
    }
  });

  it.skipIf(process.platform !== 'linux').each(['/proc/self/pagemap', '/proc/self/maps', '/proc/self/status'])(
    '%s, which says that it is empty and is not, is refused',
    async (file) => {
      const { kind } = await problemOf(() => readBytes(file, { maxBytes: 2 ** 40 }));
      expect(kind).toBe('no-size');
    },
  );

  it('an empty file is empty', async () => {
    await writeFile(at('empty'), '');
    expect(await readText(at('empty'), { maxBytes: 0 })).toBe('');
  });

  it('and can be cancelled', async () => {
    await writeFile(at('some'), 'text');
    const failure = await readBytes(at('some'), { maxBytes: 10, signal: AbortSignal.abort() }).catch((e: unknown) => e);
    expect((failure as EspalierError).code).toBe('cancelled');
  });

  it('what is no UTF-8 is named; a byte order mark is no text', async () => {
    await writeFile(at('latin'), Buffer.from([0xe9, 0x20]));
    expect((await problemOf(() => readText(at('latin'), { maxBytes: 10 }))).kind).toBe('encoding');
    await writeFile(at('marked'), '\ufefftext');
    expect(await readText(at('marked'), { maxBytes: 10 })).toBe('text');
  });
});

describe('the version of a file', () => {
  const version = async (name: string) => versionOf(await stat(at(name), { bigint: true }));

  it('is another after a write of the same length whose modification time was set back', async () => {
    await writeFile(at('kept'), 'one');
    const { mtime, atime } = await stat(at('kept'));
    const before = await version('kept');
    await new Promise((resolve) => setTimeout(resolve, 20));
    const handle = await open(at('kept'), constants.O_WRONLY);
    await handle.write('two');
    await handle.close();
    await utimes(at('kept'), atime, mtime);
    expect(sameVersion(before, await version('kept'))).toBe(false);
  });

  it('is settled only some seconds after the last write: two writes can share a tick of the clock', async () => {
    await writeFile(at('fresh'), 'x');
    const fresh = await version('fresh');
    expect(isSettled(fresh, Date.now())).toBe(false);
    expect(isSettled(fresh, Date.now() + 10_000)).toBe(true);
    // A modification time that lies far back says nothing.
    expect(isSettled({ ...fresh, modified: 0n }, Date.now())).toBe(false);
  });
});

it.each([
  ['/a', '/a/b', true],
  ['/a', '/a', true],
  ['/a', '/a/..b', true],
  ['/a', '/a/../b', false],
  ['/a', '/ab', false],
  ['/a/b', '/a', false],
])('isInside(%j, %j) is %j', (folder, file, expected) => {
  expect(isInside(folder, path.resolve(file))).toBe(expected);
});
