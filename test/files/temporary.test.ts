import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { build } from 'esbuild';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeTemporaryFolder, removeTemporary, sweepTemporaries, temporaryBeside } from '../../src/files/temporary.ts';
import { writeWhole } from '../../src/files/writeWhole.ts';

let folder: string;
beforeEach(async () => (folder = await mkdtemp(path.join(tmpdir(), 'espalier-temporary-'))));
afterEach(() => rm(folder, { recursive: true }));

/** Larger than any process's number. */
const GONE = 4_194_305;
const anHourAgo = new Date(Date.now() - 3_600_000);
const twoDaysAgo = new Date(Date.now() - 2 * 86_400_000);

/** Named as by this process, with changes. */
async function nameOf(change: (name: string) => string): Promise<string> {
  const temporary = temporaryBeside(path.join(folder, 'x'));
  await removeTemporary(temporary);
  return change(path.basename(temporary));
}
const ofGone = (name: string): string => name.replace(`.${process.pid}-`, `.${GONE}-`);
const ofAnother = (name: string): string => name.replace(/-[0-9a-f]{8}\./, '-00000000.');

describe('what is half done', () => {
  it.each<[string, (name: string) => string, Date, boolean]>([
    ['by this process', (name) => name, twoDaysAgo, true],
    ['by a process that is gone', ofGone, new Date(), false],
    ['by a process whose number is another’s by now', (name) => name.replace(/-\d+-/, '-1-'), new Date(), false],
    ['in another container, an hour ago', (name) => ofAnother(ofGone(name)), anHourAgo, true],
    ['in another container, two days ago', (name) => ofAnother(name), twoDaysAgo, false],
    ['by a person', () => 'x.123.tmp', twoDaysAgo, true],
    ['by another program', () => 'x.4194305.0123abcd-0123-0123.tmp', twoDaysAgo, true],
  ])('%s: kept, %s', async (_, change, at, kept) => {
    const name = await nameOf(change);
    await mkdir(path.join(folder, name));
    await writeFile(path.join(folder, name, 'part'), 'a');
    await utimes(path.join(folder, name), at, at);
    await sweepTemporaries(folder);
    expect(await readdir(folder)).toEqual(kept ? [name] : []);
  });

  it('goes without what its links lead to', async () => {
    const kept = path.join(folder, 'kept');
    await mkdir(kept);
    await writeFile(path.join(kept, 'a'), 'a');
    await symlink(kept, path.join(folder, await nameOf(ofGone)));
    const inside = path.join(folder, await nameOf(ofGone));
    await mkdir(inside);
    await symlink(kept, path.join(inside, 'link'));
    await sweepTemporaries(folder);
    expect(await readdir(folder)).toEqual(['kept']);
    expect(await readFile(path.join(kept, 'a'), 'utf8')).toBe('a');
  });

  it('of a file that was being written whole, is removed by the next that writes there', async () => {
    await writeFile(path.join(folder, await nameOf(ofGone)), '{');
    await writeWhole(path.join(folder, 'other.json'), '{}');
    expect(await readdir(folder)).toEqual(['other.json']);
  });

  it('goes when the process ends by itself, in the middle of anything', async () => {
    const script = path.join(folder, 'script.mjs');
    await build({
      stdin: {
        contents: `
          import { writeFileSync } from 'node:fs';
          import { makeTemporaryFolder, temporaryBeside } from './src/files/temporary.ts';
          const [, , folder] = process.argv;
          const made = await makeTemporaryFolder(folder, 'work');
          writeFileSync(made + '/part', 'a');
          writeFileSync(temporaryBeside(folder + '/file'), 'a');
          console.log(made);
          process.exit(3);`,
        resolveDir: path.join(import.meta.dirname, '../..'),
      },
      ...{ outfile: script, bundle: true, platform: 'node', format: 'esm', logLevel: 'error' },
    });
    const { status, stdout } = spawnSync(process.execPath, [script, folder], { encoding: 'utf8' });
    expect([status, stdout]).toEqual([3, expect.stringContaining(path.join(folder, 'work.'))]);
    await rm(script);
    expect(await readdir(folder)).toEqual([]);
  });

  it('is this person’s alone', async () => {
    const made = await makeTemporaryFolder(path.join(folder, 'new'), 'work');
    expect((await readdir(path.join(folder, 'new'))).length).toBe(1);
    await removeTemporary(made);
    expect(await readdir(path.join(folder, 'new'))).toEqual([]);
  });
});
