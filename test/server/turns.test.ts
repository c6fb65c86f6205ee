import { describe, expect, it } from 'vitest';
import { type Pause, Turns } from '../../src/server/turns.ts';
import { failureOf } from '../support/expectCoded.ts';

const { signal } = new AbortController();

/** Work of so many pieces that notes each of them. */
function pieces(name: string, count: number, seen: string[]): (pause: Pause) => Promise<void> {
  return async (pause) => {
    for (let piece = 1; piece <= count; piece++) {
      seen.push(`${name} ${piece}`);
      await pause();
    }
  };
}

describe('turns', () => {
  it('are given away in pauses, first come, first served', async () => {
    const [turns, seen]: [Turns, string[]] = [new Turns(8), []];
    let open = (): void => undefined;
    const opened = new Promise<void>((resolve) => {
      open = resolve;
    });
    const long = turns.turns(async (pause) => {
      await opened;
      await pieces('long', 4, seen)(pause);
    }, signal);
    await new Promise(setImmediate);
    const scored = turns.turn(() => Promise.resolve(seen.push('scored')), signal);
    const short = turns.turns(pieces('short', 2, seen), signal);
    await new Promise(setImmediate);
    open();
    await Promise.all([long, scored, short]);
    expect(seen).toEqual(['long 1', 'scored', 'short 1', 'long 2', 'short 2', 'long 3', 'long 4']);
  });

  it('of who goes away in a pause are those of others', async () => {
    const [turns, seen]: [Turns, string[]] = [new Turns(8), []];
    const leaving = new AbortController();
    const gone = failureOf(() => turns.turns(pieces('gone', 9, seen), leaving.signal));
    const other = turns.turns(async (pause) => {
      leaving.abort();
      await pieces('other', 2, seen)(pause);
    }, signal);
    expect(await gone).toMatchObject({ code: 'cancelled' });
    await other;
    await turns.turn(() => Promise.resolve(seen.push('last')), signal);
    expect(seen).toEqual(['gone 1', 'other 1', 'other 2', 'last']);
  });

  it('are had by eight long ones at a time', async () => {
    const [turns, seen]: [Turns, string[]] = [new Turns(16), []];
    const all = Array.from({ length: 9 }, (_, i) => turns.turns(pieces(`${i}`, 2, seen), signal));
    await Promise.all(all);
    expect(seen.indexOf('8 1')).toBeGreaterThan(seen.indexOf('0 2'));
    expect(seen.indexOf('7 1')).toBeLessThan(seen.indexOf('0 2'));
  });
});
