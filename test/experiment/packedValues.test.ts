import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { packValues, unpackValues } from '../../src/experiment/packedValues.ts';

describe('packed values', () => {
  it('are float32, little-endian, in base64, and every bit of them comes back', () => {
    fc.assert(
      fc.property(fc.float32Array({ maxLength: 40 }), (values) => {
        const text = packValues(values);
        expect(text).toBe(Buffer.from(values.buffer, values.byteOffset, values.byteLength).toString('base64'));
        const back = unpackValues(text, values.length)!;
        expect(Buffer.from(back.buffer).equals(Buffer.from(values.buffer, values.byteOffset, values.byteLength))).toBe(
          true,
        );
      }),
      { seed: 1, numRuns: 300 },
    );
  });

  it('may be many', () => {
    const values = Float32Array.from({ length: 100_001 }, (_, i) => Math.sin(i));
    expect(packValues(values)).toBe(Buffer.from(values.buffer).toString('base64'));
    expect(unpackValues(packValues(values), values.length)).toEqual(values);
  });

  it.each<readonly [string, string, number]>([
    ['too short', 'AAAA', 1],
    ['too long', 'AAAAAAAAAAA=', 1],
    ['another count', packValues(Float32Array.of(1, 2)), 3],
    ['other characters', 'AAA*AA==', 1],
    ['characters beyond ASCII', 'AAAéAA==', 1],
    ['padding in the middle', 'AA==AAAA', 1],
    ['padding where a digit belongs', 'AAAAA===', 1],
    ['no padding', 'AAAAAA', 1],
  ])('%s is not taken', (_, text, count) => {
    expect(unpackValues(text, count)).toBeUndefined();
  });
});
