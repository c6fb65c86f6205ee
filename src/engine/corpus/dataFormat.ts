import type { Packing } from './unpack.ts';

/** What a file is that can be read no further, and what to do about it. */
export interface UnreadFormat {
  /** "xz": what it was recognised as. */
  readonly name: string;
  readonly remedy: string;
}

/** What a file is by its first bytes; text may still be JSON. */
export type Beginning =
  | { readonly kind: 'packed'; readonly packing: Packing }
  | { readonly kind: 'parquet' }
  | { readonly kind: 'unread'; readonly format: UnreadFormat }
  | { readonly kind: 'text' };

const CONVERT = 'Write it as Parquet or JSON lines first: Espalier reads those, and plain text.';

interface Signature {
  readonly bytes: readonly number[];
  readonly at?: number;
  readonly is: Beginning;
}

/** How files begin. The name of a file says nothing: data sets are handed on under any. */
const SIGNATURES: readonly Signature[] = [
  { bytes: [0x1f, 0x8b], is: { kind: 'packed', packing: 'gzip' } },
  { bytes: [0x28, 0xb5, 0x2f, 0xfd], is: { kind: 'packed', packing: 'zstd' } },
  { bytes: codesOf('PAR1'), is: { kind: 'parquet' } },
  unread('encrypted Parquet', codesOf('PARE'), 'Write it without encryption.'),
  unread('xz', [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00], 'Unpack it first: unxz.'),
  unread('lz4', [0x04, 0x22, 0x4d, 0x18], 'Unpack it first: lz4 -d.'),
  unread('bzip2', [0x31, 0x41, 0x59, 0x26, 0x53, 0x59], 'Unpack it first: bunzip2.', 4),
  unread('a zip archive', [0x50, 0x4b, 0x03, 0x04], 'Unpack it first, and name one file in it.'),
  unread('a 7z archive', [0x37, 0x7a, 0xbc, 0xaf, 0x27, 0x1c], 'Unpack it first.'),
  unread('a tar archive', codesOf('ustar'), 'Unpack it first, and name one file in it.', 257),
  unread('Arrow', codesOf('ARROW1'), CONVERT),
  // A stream of messages, as the data sets of Hugging Face are cached: a mark, a length, and no text at any rate.
  unread('Arrow', [0xff, 0xff, 0xff, 0xff], CONVERT),
  unread('a NumPy array', [0x93, ...codesOf('NUMPY')], CONVERT),
  unread('an SQLite database', codesOf('SQLite format 3\0'), CONVERT),
  unread('PDF', codesOf('%PDF-'), 'Extract its text first: pdftotext.'),
];

/** Bytes that are looked at. */
export const BEGINNING_BYTES = 512;

/** A format whose files begin with bytes of its own, or text. */
export function beginningOf(bytes: Uint8Array): Beginning {
  const found = SIGNATURES.find(({ bytes: signature, at = 0 }) => signature.every((byte, i) => bytes[at + i] === byte));
  // Zstandard may begin with a frame that is to be skipped: the last digit of its mark is free.
  const skippable = (bytes[0]! & 0xf0) === 0x50 && bytes[1] === 0x2a && bytes[2] === 0x4d && bytes[3] === 0x18;
  if (!found && skippable) return { kind: 'packed', packing: 'zstd' };
  return found?.is ?? (isWide(bytes) ? WIDE : { kind: 'text' });
}

const WIDE: Beginning = {
  kind: 'unread',
  format: { name: 'UTF-16, UTF-32 or a binary file', remedy: 'Save the text as UTF-8.' },
};

/** Without a byte order mark such a text is UTF-8 of a kind, with a character 0 beside every letter. */
function isWide(bytes: Uint8Array): boolean {
  const zeros = bytes.reduce((count, byte) => count + Number(byte === 0), 0);
  return bytes.length >= 32 && zeros * 4 > bytes.length && zeros * 8 < bytes.length * 7;
}

function unread(name: string, bytes: readonly number[], remedy: string, at = 0): Signature {
  return { bytes, at, is: { kind: 'unread', format: { name, remedy } } };
}

function codesOf(text: string): number[] {
  return Array.from(text, (letter) => letter.charCodeAt(0));
}
