import { describe, expect, test } from 'vitest';
import { Rng } from '../../../src/base/rng.ts';
import { differingBits, MaskCache } from '../../../src/engine/search/maskBits.ts';

describe('bits of a mask', () => {
  test('that differ are as many as weights do', () => {
    const rng = new Rng(81);
    for (let i = 0; i < 50; i++) {
      const length = 1 + rng.integer(100);
      const draw = (): Uint8Array => Uint8Array.from({ length }, () => rng.integer(256));
      const [a, b] = [draw(), draw()];
      const bitOf = (bytes: Uint8Array, at: number): number => (bytes[at >> 3]! >> (at & 7)) & 1;
      let expected = 0;
      for (let at = 0; at < 8 * length; at++) expected += Number(bitOf(a, at) !== bitOf(b, at));
      expect(differingBits(a, b)).toBe(expected);
    }
  });
});

describe('masks that are kept', () => {
  test('are the last that were asked for, as many as there is room for', () => {
    const cache = new MaskCache(10);
    const mask = (size: number): Uint8Array => new Uint8Array(size);
    cache.set('a', mask(4));
    cache.set('b', mask(4));
    expect(cache.get('a')).toHaveLength(4);
    cache.set('c', mask(4));
    expect(['a', 'b', 'c'].map((key) => cache.get(key)?.length)).toEqual([4, undefined, 4]);
    cache.set('large', mask(11));
    expect(['a', 'c', 'large'].map((key) => cache.get(key)?.length)).toEqual([4, 4, undefined]);
    cache.set('d', mask(10));
    expect(['a', 'c', 'd'].map((key) => cache.get(key)?.length)).toEqual([undefined, undefined, 10]);
  });
});
