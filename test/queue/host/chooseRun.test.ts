import { describe, expect, it } from 'vitest';
import { chooseRun, mayLeave } from '../../../src/queue/host/chooseRun.ts';
import type { RunChoice, Turn } from '../../../src/queue/host/chooseRun.ts';

const run = (key: string, waiting: number, workers = '', servedAt?: number): RunChoice => ({
  ...{ key, waiting, servedAt },
  workers: workers.split(''),
});
const at = (key: string, turn: Partial<Turn> = {}): Turn => ({ key, lasted: 0, opening: 1000, dry: 0, ...turn });
const THROUGH = { lasted: 31_000 };

describe('the run that a worker takes', () => {
  it.each<[string, RunChoice[], Turn | undefined, string | undefined]>([
    ['none', [], undefined, undefined],
    ['the only one, even without questions', [run('a', 0)], undefined, 'a'],
    ['one with questions', [run('a', 0), run('b', 1, 'xyz')], undefined, 'b'],
    ['the one with the fewest workers', [run('a', 1, 'xy'), run('b', 1, 'z')], undefined, 'b'],
    ['of these the one that it was at longest ago', [run('a', 1, '', 20), run('b', 1, '', 10)], undefined, 'b'],
    ['before that one that it was never at', [run('a', 1, '', 20), run('b', 1)], undefined, 'b'],
    ['its own while its turn lasts', [run('a', 1, 'm'), run('b', 9)], at('a', { lasted: 29_000 }), 'a'],
    [
      'its own for three times what opening took',
      [run('a', 1, 'm'), run('b', 9)],
      at('a', { lasted: 200_000, opening: 90_000 }),
      'a',
    ],
    ['another that has nobody, when its turn is over', [run('a', 1, 'm'), run('b', 9)], at('a', THROUGH), 'b'],
    ['its own where the others have as many', [run('a', 1, 'm'), run('b', 9, 'x')], at('a', THROUGH), 'a'],
    [
      'its own where no other has questions',
      [run('a', 0, 'm'), run('b', 0)],
      at('a', { ...THROUGH, dry: 60_000 }),
      'a',
    ],
    ['another, once it is dry', [run('a', 0, 'm'), run('b', 1, 'xyz')], at('a', { dry: 2000 }), 'b'],
    [
      'its own, dry for less than opening took',
      [run('a', 0, 'm'), run('b', 1)],
      at('a', { dry: 2000, opening: 5000 }),
      'a',
    ],
    ['another, where its own is gone', [run('b', 1)], at('a'), 'b'],
  ])('%s', (_, runs, turn, expected) => {
    expect(chooseRun('m', runs, turn)).toBe(expected);
  });

  it('as many leave a run as make it even with another', () => {
    const ids = 'abcdefgh'.split('');
    const runs = [run('one', 5, ids.join('')), run('two', 5, 'xy')];
    const gone = ids.filter((me) => chooseRun(me, runs, at('one', THROUGH)) === 'two');
    expect(gone).toEqual(['a', 'b', 'c']);
  });

  it('many that come at once are spread over many runs', () => {
    const runs = Array.from({ length: 10 }, (_, i) => run(`run-${i}`, 1));
    const chosen = Array.from({ length: 200 }, (_, i) => chooseRun(`worker-${i}`, runs, undefined));
    for (const { key } of runs) expect(chosen.filter((one) => one === key).length).toBeGreaterThan(5);
  });

  it('ten runs and three workers: each run gets a turn', () => {
    const keys = Array.from({ length: 10 }, (_, i) => `run-${i}`);
    const where = new Map<string, string>();
    const served = new Map<string, Map<string, number>>();
    const visits = new Map<string, number>();
    for (let turn = 0; turn < 40; turn++) {
      for (const me of ['a', 'b', 'c']) {
        const own = served.get(me) ?? new Map<string, number>();
        served.set(me, own);
        const runs = keys.map((key) => ({
          ...{ key, waiting: 1, servedAt: own.get(key) },
          workers: [...where].filter(([, at]) => at === key).map(([id]) => id),
        }));
        const before = where.get(me);
        const next = chooseRun(me, runs, before === undefined ? undefined : at(before, THROUGH))!;
        if (before !== undefined && before !== next) own.set(before, turn);
        where.set(me, next);
        visits.set(next, (visits.get(next) ?? 0) + 1);
      }
    }
    for (const key of keys) expect(visits.get(key)).toBeGreaterThan(6);
  });
});

it.each<[Partial<Turn>, boolean]>([
  [{}, false],
  [{ dry: 1999 }, false],
  [{ dry: 2000 }, true],
  [{ lasted: 30_000 }, true],
  [{ lasted: 30_000, opening: 11_000 }, false],
])('who cannot leave does not look: %j', (turn, expected) => {
  expect(mayLeave(at('a', turn))).toBe(expected);
});
