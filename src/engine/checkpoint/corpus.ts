import { binaryFormat, jsonFormat } from './dataFormat.ts';
import type { DataFormat } from './dataFormat.ts';
import { sha256 } from './hashing.ts';
import { EspalierError } from '../../base/errors.ts';
import type { ErrorCode } from '../../base/errors.ts';
import { fileProblem } from '../../files/fileProblem.ts';
import { isLfsPointer, LFS_POINTER } from '../../files/lfsPointer.ts';
import { readMissingPath } from '../../files/missingPath.ts';
import { readBytes } from '../../files/readBytes.ts';

/** A text for calibration or evaluation. */
export interface Corpus {
  readonly text: string;
  /** sha-256, hex, of the file's bytes. */
  readonly identity: string;
}

/**
 * Reads a UTF-8 text as it is: line ends and white space are kept. A byte order mark at the start is no part of the text and
 * left out (what other tools call `utf-8-sig`); one further on is a character like any other.
 *
 * @throws EspalierError `corpus/not-found`, `corpus/format` for data that is no text, `corpus/encoding` with the position of the first wrong byte, `corpus/too-short`
 * for an empty file, `evaluation/too-large`
 */
export async function loadCorpus(file: string, signal?: AbortSignal): Promise<Corpus> {
  const bytes = await bytesOf(file, signal);
  if (isLfsPointer(bytes))
    throw corpusError('corpus/not-found', file, 'a text', LFS_POINTER.actual, LFS_POINTER.remedy);
  refuseData(binaryFormat(bytes), file);
  const text = decode(bytes, file);
  refuseData(jsonFormat(text), file);
  if (text === '')
    throw corpusError('corpus/too-short', file, 'a text', 'an empty file', 'Choose a file with text in it.');
  return { text, identity: sha256(bytes) };
}

/** What is data would be taken for prose, and give a number that is of its brackets and quotes. */
function refuseData(format: DataFormat | undefined, file: string): void {
  if (format) throw corpusError('corpus/format', file, 'a plain text', format.name, format.remedy);
}

/** A JavaScript string holds just under 2²⁹ characters; tokens of a text of this size take 1 GiB. */
const MAX_BYTES = 2 ** 29 - 2 ** 16;

async function bytesOf(file: string, signal: AbortSignal | undefined): Promise<Uint8Array> {
  try {
    return await readBytes(file, { maxBytes: MAX_BYTES, signal });
  } catch (thrown) {
    if (thrown instanceof EspalierError) throw thrown;
    const { kind, message } = fileProblem(thrown);
    if (kind === 'too-large') throw tooLarge(file, message);
    const meant = kind === 'missing' ? await readMissingPath(file) : undefined;
    const { actual, remedy } = meant ?? { actual: message, remedy: 'Check the path of the text.' };
    throw corpusError('corpus/not-found', file, 'a readable text file', actual, remedy);
  }
}

function decode(bytes: Uint8Array, file: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    const at = firstInvalidByte(bytes);
    const shown = Array.from(bytes.subarray(at, at + 4), (byte) => byte.toString(16).padStart(2, '0')).join(' ');
    throw corpusError(
      'corpus/encoding',
      file,
      'UTF-8 text',
      `bytes ${shown} at position ${at}`,
      'Save the text as UTF-8: in Latin-1 or UTF-16 it would be another text.',
    );
  }
}

/** Position of the first byte that begins no UTF-8 sequence, or a broken one. */
function firstInvalidByte(bytes: Uint8Array): number {
  for (let at = 0; at < bytes.length;) {
    const lead = bytes[at]!;
    const length = lead < 0x80 ? 1 : lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 0;
    // No longer spelling than needed, no surrogates, nothing above U+10FFFF.
    const lowest = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
    const highest = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
    if (length === 0) return at;
    for (let i = 1; i < length; i++) {
      const byte = bytes[at + i];
      const isFirst = i === 1;
      if (byte === undefined || byte < (isFirst ? lowest : 0x80) || byte > (isFirst ? highest : 0xbf)) return at;
    }
    at += length;
  }
  return bytes.length;
}

function tooLarge(file: string, actual: string): EspalierError {
  return corpusError(
    'evaluation/too-large',
    file,
    `at most ${MAX_BYTES} bytes`,
    actual,
    'Cut the text into smaller files: one evaluation reads its whole text at once.',
  );
}

function corpusError(code: ErrorCode, file: string, expected: string, actual: string, remedy: string): EspalierError {
  return new EspalierError({ code, operation: `reading ${file}`, expected, actual, remedy, file });
}
