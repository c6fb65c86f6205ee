import { corpusError } from './corpusError.ts';

/**
 * UTF-8 to text, portion by portion. A byte order mark at the start is no part of the text and left out (what other tools call
 * `utf-8-sig`); one further on is a character like any other.
 *
 * @param packed of what is unpacked on the way: positions are then of what comes out
 * @throws EspalierError `corpus/encoding` with the position of the first wrong byte
 */
export async function* decodeUtf8(
  chunks: AsyncIterable<Uint8Array>,
  file: string,
  packed: boolean,
): AsyncGenerator<string> {
  let position = 0;
  let rest: Uint8Array = new Uint8Array();
  const decode = (bytes: Uint8Array): string => {
    const text = decodeWhole(bytes, position === 0);
    if (text === undefined) throw notUtf8(file, bytes, position, packed);
    position += bytes.length;
    return text;
  };
  for await (const chunk of chunks) {
    const bytes = rest.length > 0 ? Buffer.concat([rest, chunk]) : chunk;
    const end = endOfLastCharacter(bytes);
    // What is left is three bytes at most; copied, so that it does not keep the portion.
    rest = bytes.slice(end);
    const text = decode(bytes.subarray(0, end));
    if (text !== '') yield text;
  }
  const text = decode(rest);
  if (text !== '') yield text;
}

/** The text of whole UTF-8, undefined for anything else. @param atStart whether a byte order mark is left out */
export function decodeWhole(bytes: Uint8Array, atStart: boolean): string | undefined {
  try {
    return (atStart ? STARTING : GOING_ON).decode(bytes);
  } catch {
    return undefined;
  }
}

const STARTING = new TextDecoder('utf-8', { fatal: true });
const GOING_ON = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Where a character begins that goes on behind these bytes, or their end. */
function endOfLastCharacter(bytes: Uint8Array): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back]!;
    if ((byte & 0xc0) === 0x80) continue;
    const length = byte < 0xc0 ? 1 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
    return length > back ? bytes.length - back : bytes.length;
  }
  return bytes.length;
}

function notUtf8(file: string, bytes: Uint8Array, position: number, packed: boolean): Error {
  const at = firstInvalidByte(bytes);
  const shown = Array.from(bytes.subarray(at, at + 4), (byte) => byte.toString(16).padStart(2, '0')).join(' ');
  return corpusError(
    'corpus/encoding',
    file,
    'UTF-8 text',
    `bytes ${shown} at position ${position + at}${packed ? ' of what is unpacked' : ''}`,
    'Save the text as UTF-8: in Latin-1 or UTF-16 it would be another text.',
  );
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
