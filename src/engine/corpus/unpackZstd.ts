import { Decompress } from 'fzstd';
import { EspalierError } from '../../base/errors.ts';
import { reasonOf } from '../../files/fileProblem.ts';
import { ByteSource } from './byteSource.ts';
import { corpusError, damaged } from './corpusError.ts';

/**
 * Frames of zstd (RFC 8878), one behind the other. The library is given one frame at a time, of which we know where it ends and how large
 * a window it asks for: it would make a window of two gigabytes for a file of twenty bytes.
 */
export async function* unpackZstd(chunks: AsyncIterable<Uint8Array>, file: string): AsyncGenerator<Uint8Array> {
  const source = new ByteSource(chunks);
  try {
    while (!(await source.isAtEnd())) yield* unpackFrame(source, file);
  } catch (thrown) {
    throw thrown instanceof EspalierError ? thrown : damaged(file, 'zstd', reasonOf(thrown));
  }
}

async function* unpackFrame(source: ByteSource, file: string): AsyncGenerator<Uint8Array> {
  const magic = await source.take(4);
  const number = Buffer.from(magic).readUInt32LE();
  if (number >>> 4 === SKIPPABLE) {
    await source.skip(Buffer.from(await source.take(4)).readUInt32LE());
    return;
  }
  if (number !== MAGIC) throw new Error('bytes between its frames that are none of one');
  const frame = await readHeader(source, file);
  const output: Uint8Array[] = [];
  let bytes = 0;
  const decompress = new Decompress((chunk) => output.push(chunk));
  decompress.push(Buffer.concat([magic, frame.header]));
  for (let isLast = false; !isLast;) {
    const head = await source.take(3);
    const value = head[0]! | (head[1]! << 8) | (head[2]! << 16);
    isLast = (value & 1) === 1;
    // A block of one byte repeated holds that byte alone.
    const length = ((value >> 1) & 3) === 1 ? 1 : value >> 3;
    if (length > LARGEST_BLOCK) throw new Error(`a block of ${length} bytes, where there are at most ${LARGEST_BLOCK}`);
    const block = await source.take(length);
    const checksum = isLast && frame.hasChecksum ? await source.take(4) : new Uint8Array();
    decompress.push(Buffer.concat([head, block, checksum]), isLast);
    for (const chunk of output.splice(0)) {
      bytes += chunk.length;
      yield chunk;
    }
  }
  if (frame.size !== undefined && frame.size !== bytes)
    throw new Error(`${bytes} bytes in a frame that says ${frame.size}`);
}

const MAGIC = 0xfd2fb528;
const SKIPPABLE = 0x184d2a5;
const LARGEST_BLOCK = 2 ** 17;
/** What `zstd -d` takes, too, where it is not told otherwise. */
const LARGEST_WINDOW = 2 ** 27;

interface FrameHeader {
  readonly header: Uint8Array;
  /** Bytes that come out, where it says so. */
  readonly size: number | undefined;
  readonly hasChecksum: boolean;
}

async function readHeader(source: ByteSource, file: string): Promise<FrameHeader> {
  const descriptor = (await source.take(1))[0]!;
  const isSingle = (descriptor & 0x20) !== 0;
  const sizeFlag = descriptor >> 6;
  const sizeBytes = sizeFlag > 0 ? 1 << sizeFlag : Number(isSingle);
  const dictionaryBytes = [0, 1, 2, 4][descriptor & 3]!;
  const rest = Buffer.from(await source.take(Number(!isSingle) + dictionaryBytes + sizeBytes));
  const afterWindow = Number(!isSingle);
  if (rest.subarray(afterWindow, afterWindow + dictionaryBytes).some((byte) => byte !== 0)) {
    throw corpusError('corpus/format', file, 'zstd without a dictionary', 'zstd that needs one', UNPACK_FIRST);
  }
  const sizeAt = afterWindow + dictionaryBytes;
  const size =
    sizeBytes === 0
      ? undefined
      : sizeBytes === 8
        ? Number(rest.readBigUInt64LE(sizeAt))
        : rest.readUIntLE(sizeAt, sizeBytes) + (sizeBytes === 2 ? 256 : 0);
  const window = isSingle ? size! : windowOf(rest[0]!);
  if (window > LARGEST_WINDOW) {
    const actual = `zstd with a window of ${window}`;
    throw corpusError('corpus/format', file, `zstd with a window of ${LARGEST_WINDOW} bytes`, actual, UNPACK_FIRST);
  }
  return {
    header: Buffer.concat([[descriptor], rest].map((part) => Buffer.from(part))),
    size,
    hasChecksum: (descriptor & 4) !== 0,
  };
}

const UNPACK_FIRST = 'Unpack it first: zstd -d --long=31.';

function windowOf(descriptor: number): number {
  const base = 2 ** (10 + (descriptor >> 3));
  return base + (base / 8) * (descriptor & 7);
}
