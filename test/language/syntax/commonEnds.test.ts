import { expect, it } from 'vitest';
import { Rng } from '../../../src/base/rng.ts';
import { commonEnds } from '../../../src/language/syntax/commonEnds.ts';

it('is what two texts of any length begin and end with', () => {
  const rng = new Rng(3);
  const some = (most: number) => Array.from({ length: rng.integer(most) }, () => 'ab'[rng.integer(2)]!).join('');
  for (let i = 0; i < 300; i++) {
    // One letter over and over has common ends that would overlap.
    const before = i % 3 === 0 ? 'a'.repeat(rng.integer(5000)) : some(5000);
    const at = rng.integer(before.length + 1);
    const after =
      before.slice(0, at) + (i % 3 === 0 ? 'a'.repeat(rng.integer(3)) : some(4)) + before.slice(at + rng.integer(3));
    expect(commonEnds(before, after)).toEqual(unitByUnit(before, after));
  }
});

function unitByUnit(before: string, after: string): ReturnType<typeof commonEnds> {
  const most = Math.min(before.length, after.length);
  let start = 0;
  while (start < most && before[start] === after[start]) start++;
  let end = 0;
  while (end < most - start && before.at(-1 - end) === after.at(-1 - end)) end++;
  return { start, end };
}
