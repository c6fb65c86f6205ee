import { shown, tokenizerError } from './tokenizerError.ts';

/** A vocabulary object of tokenizer.json, checked. @throws EspalierError `checkpoint/tokenizer` */
export function readVocabulary(vocab: Readonly<Record<string, number>>, file: string): Map<string, number> {
  const vocabulary = new Map(Object.entries(vocab));
  const taken = new Set<number>();
  for (const [token, id] of vocabulary) {
    requireText(token, file);
    const isId = Number.isSafeInteger(id) && id >= 0 && id < MAX_ID;
    if (isId && taken.size < taken.add(id).size) continue;
    throw tokenizerError(file, `an id for the token ${shown(token)} alone`, shown(id));
  }
  return vocabulary;
}

/** No UTF-8 text can hold half of a surrogate pair, and the Rust library refuses a file with one. */
export function requireText(token: string, file: string): void {
  if (!token.isWellFormed()) throw tokenizerError(file, 'tokens that are text', shown(token));
}

/** Ids of <0x00> to <0xFF>, which stand in for characters that have no token: those that there are. */
export function byteIdsOf(vocabulary: ReadonlyMap<string, number>): readonly (number | undefined)[] {
  return Array.from({ length: 256 }, (_, byte) =>
    vocabulary.get(`<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`),
  );
}

/** The ids that stand in for a text, byte by byte, or nothing where one of them is missing. */
export function bytesAsIds(text: string, byteIds: readonly (number | undefined)[]): readonly number[] | undefined {
  const ids: number[] = [];
  for (const byte of ENCODER.encode(text)) {
    const id = byteIds[byte];
    if (id === undefined) return undefined;
    ids.push(id);
  }
  return ids;
}

const MAX_ID = 2 ** 31 - 1;
const ENCODER = new TextEncoder();
