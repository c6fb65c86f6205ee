import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { readInput } from '../../src/cli/readInput.ts';
import { failureOf } from '../support/expectCoded.ts';

const { signal } = new AbortController();
const reading = (...parts: readonly Buffer[]) =>
  readInput(Object.assign(Readable.from(parts), { isTTY: false }), signal);

describe('standard input', () => {
  it('is UTF-8, whichever portions it comes in', async () => {
    const bytes = Buffer.from('\ufeffgrüße 😀\0\r\n');
    const one = [...bytes].map((byte) => Buffer.of(byte));
    expect(await reading(...one)).toBe('\ufeffgrüße 😀\0\r\n');
    expect(await reading()).toBe('');
  });

  it.each([
    ['Latin-1', Buffer.from('grüße', 'latin1')],
    ['a character that is cut off', Buffer.from('😀').subarray(0, 3)],
    ['half of a surrogate pair', Buffer.from([0xed, 0xa0, 0x80])],
  ])('is refused as %s', async (_, bytes) => {
    const { data } = await failureOf(() => reading(Buffer.from('a '), bytes));
    expect(data).toMatchObject({
      code: 'corpus/encoding',
      operation: 'reading standard input',
      expected: 'UTF-8 text',
    });
  });
});
