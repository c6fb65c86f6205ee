import { byteLength, elementCount, isElementType } from './elementTypes.ts';
import { parseJson } from './jsonFile.ts';
import { duplicateKey } from './duplicateKey.ts';
import { EspalierError } from '../../base/errors.ts';
import { fileProblem } from '../../files/fileProblem.ts';
import { versionOf } from '../../files/fileVersion.ts';
import { isLfsPointer, LFS_POINTER } from '../../files/lfsPointer.ts';
import { openToRead } from '../../files/openRegular.ts';
import type { FileVersion } from '../../files/fileVersion.ts';
import type { ElementType } from './elementTypes.ts';
import type { FileHandle } from 'node:fs/promises';

/** Where a tensor lies and how it is stored. */
export interface TensorEntry {
  readonly dtype: ElementType;
  readonly shape: readonly number[];
  /** Path of the file that holds it. */
  readonly file: string;
  /** First byte in the file, and the one after the last: absolute positions. */
  readonly begin: number;
  readonly end: number;
}

/** A safetensors file whose header has been checked against the size of the file. */
export interface SafetensorsFile {
  readonly file: string;
  readonly tensors: ReadonlyMap<string, TensorEntry>;
  /** What the file was when the header was read; a reader compares it before it trusts the positions. */
  readonly version: FileVersion;
}

/**
 * Reads the header of a safetensors file: 8 bytes of length (little-endian), that many bytes of JSON, then data. Everything
 * that the header says is checked against the file and against itself: types, shapes, lengths, and that the tensors fill
 * the data section without overlap and without holes, as the format demands. No data is read.
 *
 * @throws EspalierError `checkpoint/safetensors`
 */
export async function readSafetensorsHeader(file: string): Promise<SafetensorsFile> {
  let handle: FileHandle | undefined;
  try {
    handle = await openToRead(file);
    const stat = await handle.stat({ bigint: true });
    const fileSize = Number(stat.size);
    const header = await readHeader(handle, file, fileSize);
    return {
      file,
      tensors: checkHeader(header.json, file, 8 + header.size, fileSize),
      version: versionOf(stat),
    };
  } catch (thrown) {
    if (thrown instanceof EspalierError) throw thrown;
    throw malformed(file, 'a readable file', fileProblem(thrown).message);
  } finally {
    await handle?.close();
  }
}

/** The format's own bound on the length of the header. */
const MAX_HEADER = 100_000_000;

async function readHeader(handle: FileHandle, file: string, fileSize: number): Promise<{ json: object; size: number }> {
  const beginning = await readRange(handle, file, 0, Math.min(fileSize, 64));
  if (isLfsPointer(beginning)) throw malformed(file, 'weights', LFS_POINTER.actual, LFS_POINTER.remedy);
  if (fileSize < 10) throw malformed(file, 'at least 10 bytes (8 of length and a header)', `${fileSize} bytes`);
  const length = beginning.readBigUInt64LE();
  if (length > MAX_HEADER || length < 2n)
    throw malformed(file, `a header of 2 to ${MAX_HEADER} bytes`, `${length} bytes`);
  const size = Number(length);
  if (8 + size > fileSize) {
    throw malformed(file, `at least ${8 + size} bytes (the header alone)`, `${fileSize} bytes: the file is cut off`);
  }
  const bytes = await readRange(handle, file, 8, size);
  if (bytes[0] !== 0x7b) throw malformed(file, 'a header that starts with {', `byte ${bytes[0]}`);
  const json = parseJson(bytes, file, 'checkpoint/safetensors') as object;
  const twice = duplicateKey(bytes);
  if (twice !== undefined) throw malformed(file, 'each tensor once', `${quote(twice)} twice`);
  return { json, size };
}

async function readRange(handle: FileHandle, file: string, begin: number, length: number): Promise<Buffer> {
  const bytes = Buffer.alloc(length);
  for (let at = 0; at < length;) {
    const { bytesRead } = await handle.read(bytes, at, length - at, begin + at);
    if (bytesRead === 0) throw malformed(file, `${begin + length} bytes`, `the end at byte ${begin + at}`);
    at += bytesRead;
  }
  return bytes;
}

function checkHeader(header: object, file: string, dataBegin: number, fileSize: number): Map<string, TensorEntry> {
  const tensors = new Map<string, TensorEntry>();
  for (const [name, value] of Object.entries(header)) {
    if (name === '__metadata__') checkMetadata(value, file);
    else tensors.set(name, checkEntry(name, value, file, dataBegin, fileSize));
  }
  checkLayout(tensors, file, dataBegin, fileSize);
  return tensors;
}

function checkMetadata(value: unknown, file: string): void {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  if (!isObject || Object.values(value).some((text) => typeof text !== 'string')) {
    throw malformed(file, '__metadata__ that maps names to texts', show(value));
  }
}

function checkEntry(name: string, value: unknown, file: string, dataBegin: number, fileSize: number): TensorEntry {
  const fail = (what: string, expected: string, actual: unknown): EspalierError =>
    malformed(file, `${what} of ${quote(name)} to be ${expected}`, show(actual));
  if (typeof value !== 'object' || value === null) throw fail('the entry', 'an object', value);
  const { dtype, shape, data_offsets: offsets } = value as Record<string, unknown>;
  if (!isElementType(dtype)) throw fail('dtype', 'an element type of the format', dtype);
  if (!isListOfSizes(shape)) throw fail('shape', 'a list of non-negative integers', shape);
  if (!isListOfSizes(offsets) || offsets.length !== 2) throw fail('data_offsets', 'two non-negative integers', offsets);
  const [begin, end] = [offsets[0]! + dataBegin, offsets[1]! + dataBegin];
  if (begin > end || end > fileSize) {
    throw fail('data_offsets', `ascending and inside the ${fileSize - dataBegin} bytes of data`, offsets);
  }
  const count = elementCount(shape);
  const length = count === undefined ? undefined : byteLength(dtype, count);
  if (length !== end - begin) {
    const bytes = length === undefined ? 'a number of bytes that no file has' : `${length} bytes`;
    throw fail('data_offsets', `${bytes} apart (${dtype} [${shape.join(', ')}])`, offsets);
  }
  return { dtype, shape, file, begin, end };
}

/** In order of position every tensor starts where the one before it ends, and the last ends with the file. */
function checkLayout(
  tensors: ReadonlyMap<string, TensorEntry>,
  file: string,
  dataBegin: number,
  fileSize: number,
): void {
  const inOrder = [...tensors].sort(([, a], [, b]) => a.begin - b.begin || a.end - b.end);
  let reached = dataBegin;
  for (const [name, { begin, end }] of inOrder) {
    if (begin !== reached) {
      const what = begin < reached ? 'an overlap' : 'a hole';
      throw malformed(
        file,
        `${quote(name)} to start at byte ${reached - dataBegin} of the data`,
        `${what}: ${begin - dataBegin}`,
      );
    }
    reached = end;
  }
  if (reached !== fileSize) {
    throw malformed(file, `data of ${reached - dataBegin} bytes, as its header says`, `${fileSize - dataBegin} bytes`);
  }
}

function isListOfSizes(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.every((item) => Number.isSafeInteger(item) && (item as number) >= 0);
}

function show(value: unknown): string {
  const text = value === undefined ? 'nothing' : JSON.stringify(value);
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}

function quote(name: string): string {
  return show(name);
}

function malformed(
  file: string,
  expected: string,
  actual: string,
  remedy = 'Download the file again: it is damaged, incomplete or no safetensors file.',
): EspalierError {
  return new EspalierError({
    code: 'checkpoint/safetensors',
    operation: `reading ${file}`,
    expected,
    actual,
    remedy,
    file,
  });
}
