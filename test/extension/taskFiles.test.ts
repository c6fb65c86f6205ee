import { describe, expect, it } from 'vitest';
import { EspalierError } from '../../src/base/errors.ts';
import { TaskFiles } from '../../src/extension/taskFiles.ts';
import type { FirstDocumentsParams } from '../../src/language/server/messages.ts';

function setUp() {
  const told: FirstDocumentsParams[] = [];
  const watched = new Map<string, () => void>();
  const state = { answer: (file: string): Promise<object[] | undefined> => Promise.resolve([{ file }]) };
  const files = new TaskFiles({
    read: async (file) => {
      const documents = await state.answer(file);
      return documents && { documents: documents as Record<string, unknown>[] };
    },
    tell: (params) => told.push(params),
    watch: (file, onChange) => {
      watched.set(file, onChange);
      return { dispose: () => watched.delete(file) };
    },
  });
  const settle = () => new Promise((resolve) => setImmediate(resolve));
  return { files, told, watched, state, settle };
}

describe('the files that tasks name', () => {
  it('are read once for all that name them, again when they change, and forgotten with the last', async () => {
    const { files, told, watched, settle } = setUp();
    files.update({ uri: 'a', files: ['/x', '/y'] });
    files.update({ uri: 'b', files: ['/x'] });
    await settle();
    expect(told.map(({ file }) => file)).toEqual(['/x', '/y']);
    watched.get('/x')!();
    await settle();
    expect(told).toHaveLength(3);
    files.update({ uri: 'a', files: [] });
    expect(told.at(-1)).toEqual({ file: '/y', first: undefined });
    expect([...watched.keys()]).toEqual(['/x']);
    files.update({ uri: 'b', files: [] });
    expect(watched.size).toBe(0);
  });

  it('that cannot be read are told why, and nothing is told where nothing may be read', async () => {
    const { files, told, state, settle } = setUp();
    state.answer = () => Promise.resolve(undefined);
    files.update({ uri: 'a', files: ['/x'] });
    await settle();
    expect(told).toEqual([]);
    const error = {
      code: 'corpus/not-found',
      operation: 'o',
      expected: 'a file',
      actual: 'none',
      remedy: 'r',
    } as const;
    state.answer = () => Promise.reject(new EspalierError(error));
    files.lookAgain();
    await settle();
    expect(told).toEqual([{ file: '/x', first: { problem: 'expected a file, got none' } }]);
  });

  it('of two looks the later one counts, whichever comes first', async () => {
    const { files, told, watched, state, settle } = setUp();
    const answers: ((documents: object[]) => void)[] = [];
    state.answer = () => new Promise((resolve) => answers.push(resolve));
    files.update({ uri: 'a', files: ['/x'] });
    watched.get('/x')!();
    answers[1]!([{ new: 1 }]);
    answers[0]!([{ old: 1 }]);
    await settle();
    expect(told).toEqual([{ file: '/x', first: { documents: [{ new: 1 }] } }]);
    // An answer that comes when nobody names the file any more is none.
    watched.get('/x')!();
    files.update({ uri: 'a', files: [] });
    answers[2]!([{ late: 1 }]);
    await settle();
    expect(told.at(-1)).toEqual({ file: '/x', first: undefined });
  });
});
