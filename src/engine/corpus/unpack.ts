import { pipeline, Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { EspalierError } from '../../base/errors.ts';
import { reasonOf } from '../../files/fileProblem.ts';
import { damaged } from './corpusError.ts';
import { unpackZstd } from './unpackZstd.ts';

/** How a file may be packed whole. */
export type Packing = 'gzip' | 'zstd';

type Unpack = (chunks: AsyncIterable<Uint8Array>, file: string) => AsyncIterable<Uint8Array>;

const UNPACK: Readonly<Record<Packing, Unpack>> = { gzip: gunzip, zstd: unpackZstd };

/**
 * What a packed file holds, portion by portion: however much that is, little of it is in memory. Several members of gzip, and several
 * frames of zstd, are one behind the other.
 *
 * @throws EspalierError `corpus/damaged`
 */
export function unpack(packing: Packing, chunks: AsyncIterable<Uint8Array>, file: string): AsyncIterable<Uint8Array> {
  return UNPACK[packing](chunks, file);
}

async function* gunzip(chunks: AsyncIterable<Uint8Array>, file: string): AsyncGenerator<Uint8Array> {
  // Errors of both arrive where its output is read.
  const unpacked = pipeline(Readable.from(chunks), createGunzip({ chunkSize: PORTION }), () => undefined);
  try {
    for await (const chunk of unpacked) yield chunk as Buffer;
  } catch (thrown) {
    throw thrown instanceof EspalierError ? thrown : damaged(file, 'gzip', reasonOf(thrown));
  }
}

/** Bytes that are unpacked at a time. */
const PORTION = 256 << 10;
