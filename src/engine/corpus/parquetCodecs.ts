import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import type { CompressionCodec } from 'hyparquet';
import { decompressLz4, decompressLz4Raw, decompressSnappy, decompressZstd } from 'hyparquet-compressors';

type Decompress = (bytes: Uint8Array, length: number) => Uint8Array;

/** How the pages of a Parquet file are packed. None makes more than it is told to. */
const CODECS: Readonly<Record<CompressionCodec, Decompress | undefined>> = {
  UNCOMPRESSED: (bytes) => bytes,
  SNAPPY: decompressSnappy,
  GZIP: (bytes, length) => gunzipSync(bytes, { maxOutputLength: length }),
  BROTLI: (bytes, length) => brotliDecompressSync(bytes, { maxOutputLength: length }),
  ZSTD: (bytes, length) => decompressZstd(bytes, new Uint8Array(length)),
  LZ4: decompressLz4,
  LZ4_RAW: decompressLz4Raw,
  // An old dialect that no reader of JavaScript knows.
  LZO: undefined,
};

/** @param length bytes that come out @throws Error where other than that do */
export function decompressPage(codec: CompressionCodec, bytes: Uint8Array, length: number): Uint8Array {
  // A file may say anything.
  const decompress = Object.hasOwn(CODECS, codec) ? CODECS[codec] : undefined;
  if (!decompress) throw new Error(`pages packed by ${codec}`);
  // Nothing packed is no stream.
  if (length === 0) return new Uint8Array();
  const unpacked = decompress(bytes, length);
  if (unpacked.length !== length) throw new Error(`a page of ${unpacked.length} bytes that says ${length}`);
  return unpacked;
}
