import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { loadPrompts, PROMPTS_FOLDER } from '../../src/llm/promptTemplates.ts';
import { failureOf } from '../support/expectCoded.ts';

const shipped = path.resolve(import.meta.dirname, '../../media/prompts');
const base = await mkdtemp(path.join(tmpdir(), 'espalier-prompts-'));
afterAll(() => rm(base, { recursive: true, force: true }));

let root: string;
let own: string;
beforeEach(async () => {
  root = await mkdtemp(path.join(base, 'root-'));
  own = path.join(root, PROMPTS_FOLDER);
  await mkdir(own, { recursive: true });
});

describe('the prompts of a search', () => {
  it('are those that ship, but for those that the workspace has', async () => {
    await writeFile(path.join(own, 'mutate.md'), 'Mutate {{population}},\r\n{{count}} times.');
    const prompts = await loadPrompts({ shipped, root });
    expect(prompts.mutate).toBe('Mutate {{population}},\n{{count}} times.');
    expect(prompts.initialise).toContain('{{blocks}}');
    expect(Object.keys(prompts).sort()).toEqual(['again', 'cross', 'initialise', 'mutate', 'propose']);
  });

  it.each<[string, () => Promise<unknown>, string]>([
    ['empty', () => writeFile(path.join(own, 'cross.md'), ' \n'), 'settings/invalid'],
    ['no text', () => writeFile(path.join(own, 'cross.md'), Buffer.from([0xff, 0xfe, 0x00])), 'settings/invalid'],
    ['too long', () => writeFile(path.join(own, 'cross.md'), 'x'.repeat(300_000)), 'settings/invalid'],
    ['a folder', () => mkdir(path.join(own, 'cross.md')), 'io/read'],
  ])('that are %s are an error that names the file', async (_, make, code) => {
    await make();
    const error = await failureOf(() => loadPrompts({ shipped, root }));
    expect([error.code, error.data.file]).toEqual([code, path.join(own, 'cross.md')]);
  });

  // A repository that one clones must not have files of one's own sent away.
  it.each([
    ['a file', 'out of the workspace'],
    ['the folder', 'out of the workspace'],
    ['a file', 'to another file of it'],
    ['the folder', 'to another folder of it'],
  ])('are not read through a link in the place of %s that leads %s', async (what, where) => {
    const outside = await mkdtemp(path.join(where.startsWith('out') ? base : root, 'outside-'));
    await writeFile(path.join(outside, 'cross.md'), 'secret');
    if (what === 'a file') await symlink(path.join(outside, 'cross.md'), path.join(own, 'cross.md'));
    else {
      await rm(own, { recursive: true });
      await symlink(outside, own);
    }
    const error = await failureOf(() => loadPrompts({ shipped, root }));
    expect(error.code).toBe('settings/invalid');
    expect(error.message).not.toContain('secret');
  });
});
