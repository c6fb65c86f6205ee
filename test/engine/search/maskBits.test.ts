import { describe, expect, test } from 'vitest';
import { Rng } from '../../../src/base/rng.ts';
import { differingBits, MaskCache, zeroBits } from '../../../src/engine/search/maskBits.ts';

describe('bits of a mask', () => {
  test('are set where a weight is zero, also −0, and not past the end', () => {
    expect([...zeroBits(Float32Array.of(0, 1, -0, NaN, 1e-40, 0, 2, 3, 0, 4))]).toEqual([0b0010_0101, 0b0000_0001]);
    expect(zeroBits(new Float32Array(0))).toHaveLength(0);
  });

  test('that differ are as many as weights do', () => {
    const rng = new Rng(81);
    for (let i = 0; i < 50; i++) {
      const draw = (length: number): Float32Array => Float32Array.from({ length }, () => rng.integer(2));
      const length = 1 + rng.integer(100);
      const [a, b] = [draw(length), draw(length)];
      const expected = a.filter((value, at) => (value === 0) !== (b[at] === 0)).length;
      expect(differingBits(zeroBits(a), zeroBits(b))).toBe(expected);
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
