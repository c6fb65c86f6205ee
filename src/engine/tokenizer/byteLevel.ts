/**
 * GPT-2's printable alphabet: each byte of the UTF-8 text as one character, itself where it is printable Latin-1, else one
 * of those from U+0100 on, in order.
 */
export function bytesAsCharacters(text: string): string {
  const bytes = ENCODER.encode(text);
  const characters = new Uint16Array(bytes.length);
  for (let i = 0; i < bytes.length; i++) characters[i] = BYTE_CHARACTERS[bytes[i]!]!;
  return UTF16.decode(characters);
}

const ENCODER = new TextEncoder();
const UTF16 = new TextDecoder('utf-16le', { ignoreBOM: true });

const BYTE_CHARACTERS = byteCharacters();

/** The alphabet. */
export const BYTE_ALPHABET: readonly string[] = Array.from(BYTE_CHARACTERS, (unit) => String.fromCharCode(unit));

function byteCharacters(): Uint16Array {
  const isPrintable = (byte: number): boolean => (byte > 0x20 && byte < 0x7f) || (byte > 0xa0 && byte !== 0xad);
  let spare = 0x100;
  return Uint16Array.from({ length: 256 }, (_, byte) => (isPrintable(byte) ? byte : spare++));
}

/** The bytes that characters of that alphabet stand for; undefined where one of them is not of it. */
export function charactersAsBytes(text: string): Uint8Array | undefined {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) {
    const byte = BYTES.get(text.charCodeAt(i));
    if (byte === undefined) return undefined;
    bytes[i] = byte;
  }
  return bytes;
}

const BYTES: ReadonlyMap<number, number> = new Map(Array.from(BYTE_CHARACTERS, (unit, byte) => [unit, byte]));
