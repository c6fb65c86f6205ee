import { cpSync, readFileSync } from 'node:fs';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { builtCommand, jsonLines } from '../builtCommand.ts';
import type { BuiltCommand, Running } from '../builtCommand.ts';
import { generateText } from '../../support/generate/text.ts';

let command: BuiltCommand;
beforeAll(async () => {
  command = await builtCommand({ family: 'llama-1', characters: 40_000 });
}, 180_000);
afterAll(() => command.remove());

describe('a search', () => {
  const SEARCH = `model tiny = "model"
    corpus text = "text.txt"
    corpus unseen = "unseen.txt"
    search small {
      protocol: flap  model: tiny  evaluate: text  calibrate: text (samples: 4, length: 16)  test: unseen  length: 16  blocks: 8
      population: 12  generations: 4  elites: 3  finalists: 2  workers: 2
    }`;
  // A folder of its own: runs lie in the current one.
  const inSearches = (words: readonly string[], during?: (child: Running) => void) =>
    command.espalier(words, { cwd: join(command.folder, 'searches'), ...(during && { during }) });

  beforeAll(async () => {
    await mkdir(join(command.folder, 'searches'));
    await writeFile(join(command.folder, 'unseen.txt'), generateText(2, 10_000));
    await writeFile(join(command.folder, 'search.prune'), SEARCH);
  });

  it('is paused by Ctrl-C, resumed, shown and deleted', async () => {
    let pids: number[] = [];
    const begun = await inSearches(['evolve', '../search.prune', '--device', 'cpu', '--json'], (child) => {
      let text = '';
      child.stdout.on('data', (data: Buffer) => {
        text += data.toString();
        if (pids.length > 0 || !text.includes('"kind":"generation"')) return;
        pids = childrenOf(child.pid!);
        child.kill('SIGINT');
      });
    });
    expect(begun).toMatchObject({ status: 130, err: '' });
    const lines = jsonLines(begun);
    const id = String(lines[0]!['run']);
    expect(lines[0]).toMatchObject({ kind: 'run', name: 'small' });
    expect(lines.slice(-2)).toMatchObject([{ kind: 'paused' }, { kind: 'result', run: id, state: 'paused' }]);
    if (process.platform === 'linux') expect(pids.length).toBeGreaterThan(0);
    await expect.poll(() => pids.filter(isAlive)).toEqual([]);

    const listed = await inSearches(['runs', '--json']);
    expect(jsonLines(listed)).toMatchObject([{ id, state: 'paused', name: 'small', document: '../search.prune' }]);
    // A run goes on as it was asked.
    const other = await inSearches(['evolve', '--resume', id, '--population', '5']);
    expect(other).toMatchObject({ status: 2, out: '', err: expect.stringContaining('--population') as string });

    const resumed = await inSearches(['evolve', '--resume', id.slice(0, 15), '--workers', '1', '--json']);
    expect(resumed).toMatchObject({ status: 0, err: '' });
    const result = jsonLines(resumed).at(-1)!;
    expect(result).toMatchObject({ kind: 'result', state: 'finished', counts: { candidates: 12 + 3 * 9 } });
    const best = result['best'] as { perplexity: number; testPerplexity: number }[];
    expect(best).toHaveLength(2);
    expect(best[0]!.perplexity).toBeLessThanOrEqual(best[1]!.perplexity);
    expect(best[0]!.testPerplexity).toBeGreaterThan(1);

    const shown = await inSearches(['runs', 'show', id]);
    expect(shown.out).toContain('\nprotocol flap, but for what the search says itself\n');
    expect(jsonLines(await inSearches(['runs', 'show', id, '--json']))).toMatchObject([{ protocol: 'flap' }]);
    expect(shown.out).toMatch(/candidate \d+ +[\d.]+ .*\n/);
    expect(shown.out).toMatch(/wanda +[\d.]+ .* W \* sqrt\(X\)\n/);
    // A person gives it a name and a note, which the list shows, and takes the name away again.
    expect((await inSearches(['runs', 'name', id, 'no gradients'])).out).toBe(`${id}: no gradients\n`);
    expect((await inSearches(['runs', 'note', id, 'G is\nleft out'])).status).toBe(0);
    expect((await inSearches(['runs'])).out).toMatch(/^run +name +state .*\n\S+ +no gradients +finished /);
    expect((await inSearches(['runs', 'show', id])).out).toContain('note: G is left out\n');
    expect(jsonLines(await inSearches(['runs', '--json']))).toMatchObject([
      { name: 'small', notes: { name: 'no gradients', note: 'G is left out' } },
    ]);
    expect((await inSearches(['runs', 'name', id, 'x'.repeat(100)])).status).toBe(2);
    expect((await inSearches(['runs', 'name', id])).out).toBe(`${id} has no name any more\n`);
    expect((await inSearches(['runs'])).out).toMatch(/^run +state /);

    // A copy of a run is called by its own folder, in every answer.
    cpSync(join(command.folder, 'searches/.espalier/runs', id), join(command.folder, 'searches/.espalier/runs/copy'), {
      recursive: true,
    });
    expect((await inSearches(['runs', 'name', 'copy', 'mine'])).out).toBe('copy: mine\n');
    expect((await inSearches(['runs', 'delete', 'copy'])).status).toBe(0);

    expect((await inSearches(['runs', 'delete', id])).status).toBe(0);
    expect((await inSearches(['runs'])).out).toBe('no runs here; `espalier evolve` begins one\n');
  });

  it('is paused when the terminal is closed, which is told twice', async () => {
    const { status, out } = await inSearches(['evolve', '../search.prune', '--device', 'cpu', '--json'], (child) => {
      let text = '';
      child.stdout.on('data', (data: Buffer) => {
        text += data.toString();
        if (child.killed || !text.includes('"kind":"generation"')) return;
        child.kill('SIGHUP');
        setTimeout(() => child.kill('SIGHUP'), 5);
      });
    });
    expect(status).toBe(129);
    const [{ run: id }, ...lines] = jsonLines({ out }) as [{ run: string }, ...object[]];
    expect(lines.slice(-2)).toMatchObject([{ kind: 'paused' }, { kind: 'result', state: 'paused' }]);
    expect(await readdir(join(command.folder, 'searches/.espalier/runs', id))).toEqual([
      'journal.jsonl',
      'log.txt',
      'run.json',
    ]);
    expect((await inSearches(['runs', 'delete', id])).status).toBe(0);
  });

  it('that cannot begin leaves nothing behind', async () => {
    const words = ['evolve', '--model', '../nothing', '--text', '../text.txt', '--operands', 'W'];
    const { status, err } = await inSearches(words);
    expect({ status, err }).toEqual({ status: 2, err: expect.stringContaining('[checkpoint/not-found]') as string });
    expect((await inSearches(['runs', '--json'])).out).toBe('');
  });
});

/** On Linux; elsewhere none are found. */
function childrenOf(pid: number): number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').map(Number);
  } catch {
    return [];
  }
}

function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}
