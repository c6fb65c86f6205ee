import { describe, expect, it } from 'vitest';
import { unpack } from '../../../src/engine/corpus/unpack.ts';
import { failureOf } from '../../support/expectCoded.ts';

/** What `zstd` 1.5 wrote: a frame to be skipped, one of level 19 with a checksum and one of level 3 without, of half the rows each. */
const FRAMES = Buffer.from(
  'UypNGAUAAABoZWxsbyi1L/1k4gBNBADiBRQXkE0HA6AA/DSJu3ZmLiJ7S5l2Yoq5DidrCqiswvVDcy9U0114exIt839BDIJrmj9Qma1prffsKs' +
    'bnBYqMgRkCORI+htskTHQ4hvF5p2RNBSGgEVBv/3dAo0k9PRULFtwWlPjN7UbcCk80aowIT7W5DtquOBQ9CnTEaeVtxWnnEjyS+pFqFcfKMh8o' +
    'tS/9YOMAdQUA4sUUGXBpO57Q5A+vE/MHABR3RIokuxn45dOjaw1mOVfJade9WemmZjdvNyZFyPyXMMvtUc5Zh/8BAUnOikPYyYiunZgWCZADYW' +
    'vtDUYhCRyAs3WvGAEwIGATKdADfCoRl5Jh2qW5IPdudBG42xgmuLvCeFTgNQaCJPiusdpZEcYNDCdVrkeZBFG8Y5dh2GG+RJdxy8QJveEyx+Uu' +
    'G6sQisGMY9CkxdXgY2+CCHEM',
  'base64',
);
const ROWS = Array.from({ length: 8 }, (_, i) => {
  const words = Array.from({ length: 12 }, (_, j) => `word${(i * j) % 17}`);
  return `{"text": "Document ${i}: ${words.join(' ')}", "url": "http://x/${i}"}\n`;
}).join('');

const MAGIC = [0x28, 0xb5, 0x2f, 0xfd];
/** A frame of blocks that are stored as they are. */
function stored(bytes: Uint8Array, { window = 0x58, blocks = [bytes] } = {}): Buffer {
  const parts = blocks.map((block, i) => {
    const head = (block.length << 3) | Number(i === blocks.length - 1);
    return Buffer.concat([Buffer.from([head & 0xff, (head >> 8) & 0xff, head >> 16]), block]);
  });
  return Buffer.concat([Buffer.from([...MAGIC, 0x00, window]), ...parts]);
}

async function* portions(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield await Promise.resolve(bytes.subarray(at, at + size));
}

async function unpacked(bytes: Uint8Array, size: number): Promise<string> {
  const parts: Uint8Array[] = [];
  for await (const part of unpack('zstd', portions(bytes, size), 'data.zst')) parts.push(part);
  return Buffer.concat(parts).toString();
}

describe('zstd', () => {
  it.each([1, 2, 3, 17, 100, 1000])('of several frames, in portions of %i bytes', async (size) => {
    expect(await unpacked(FRAMES, size)).toBe(ROWS);
  });

  it('of many blocks, and of none', async () => {
    const blocks = Array.from({ length: 300 }, (_, i) => Buffer.from(`block ${i} `));
    expect(await unpacked(stored(Buffer.alloc(0), { blocks }), 64)).toBe(Buffer.concat(blocks).toString());
    expect(await unpacked(stored(Buffer.alloc(0)), 64)).toBe('');
  });

  it.each<[string, Buffer, string, string]>([
    ['cut off', FRAMES.subarray(0, -1), 'corpus/damaged', 'its end too early'],
    ['cut off between its blocks', FRAMES.subarray(0, 120), 'corpus/damaged', 'its end too early'],
    [
      'with something between its frames',
      Buffer.concat([FRAMES, Buffer.from('text')]),
      'corpus/damaged',
      'none of one',
    ],
    ['with a window of 2 GB', stored(Buffer.from('a'), { window: 0xa8 }), 'corpus/format', 'a window of 2147483648'],
    [
      'that needs a dictionary',
      Buffer.from([...MAGIC, 0x01, 0x58, 7, 1, 0, 0]),
      'corpus/format',
      'zstd that needs one',
    ],
    [
      'with a block too long',
      Buffer.from([...MAGIC, 0x00, 0x58, 1, 0, 0x80]),
      'corpus/damaged',
      'a block of 1048576 bytes',
    ],
    [
      'that says another length',
      Buffer.from([...MAGIC, 0x20, 5, 0x09, 0, 0, 0x61]),
      'corpus/damaged',
      '1 bytes in a frame that says 5',
    ],
  ])('%s is refused', async (_, bytes, code, actual) => {
    const failure = await failureOf(() => unpacked(bytes, 64));
    expect(failure.data).toMatchObject({ code, actual: expect.stringContaining(actual) as string });
  });
});
