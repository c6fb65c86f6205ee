import { BPE } from '@huggingface/tokenizers';
import { tokenizerError } from './tokenizerSpec.ts';
import type { BytePairSpec } from './tokenizerSpec.ts';

/** Turns words into token ids by merging byte pairs. The merging itself is the library's; what is around it is as in Rust. */
export class BytePairs {
  readonly vocabulary: ReadonlyMap<string, number>;
  private readonly file: string;
  private readonly merger: BPE;
  private readonly junctions: ReadonlyMap<number, ReadonlySet<number>>;
  private readonly ignoreMerges: boolean;
  /** Ids of <0x00> to <0xFF>, which stand in for characters that have no token. */
  private readonly byteIds: readonly number[] | undefined;
  private readonly unknownId: number | undefined;
  private readonly fuseUnknown: boolean;
  private readonly remembered = new Map<string, readonly number[]>();

  /** @throws EspalierError `checkpoint/tokenizer` */
  constructor(spec: BytePairSpec, file: string) {
    this.file = file;
    this.vocabulary = readVocabulary(spec, file);
    this.byteIds = spec.byte_fallback ? readByteIds(this.vocabulary, file) : undefined;
    this.unknownId = readUnknown(spec, this.vocabulary, file);
    // With all bytes at hand nothing is unknown.
    this.fuseUnknown = spec.fuse_unk && this.unknownId !== undefined && !this.byteIds;
    this.ignoreMerges = spec.ignore_merges;
    const merges = readMerges(spec, this.vocabulary, file);
    this.junctions = junctionsOf(merges);
    this.merger = new BPE({ type: 'BPE', vocab: {}, merges, ignore_merges: false });
    // Words are remembered here already.
    this.merger.max_length_to_cache = 0;
  }

  /** Token ids of one word. */
  encode(word: string): readonly number[] {
    const whole = this.ignoreMerges ? this.vocabulary.get(word) : undefined;
    return whole === undefined ? this.merge(this.withoutDropped(word)) : [whole];
  }

  /** The same for a word of any length, part by part: `length` is that of the part. */
  *encodeLong(word: string): Generator<{ readonly ids: readonly number[]; readonly length: number }> {
    if (this.ignoreMerges && this.vocabulary.has(word)) {
      yield { ids: this.encode(word), length: word.length };
    } else {
      for (const part of this.cut(this.withoutDropped(word))) yield { ids: this.encodePart(part), length: part.length };
    }
  }

  /**
   * Cuts a long word (SentencePiece tokenizers see a whole corpus as one) into parts that can be merged by themselves.
   *
   * Why this is exact: a merge across the place between the characters a|b joins a token that ends with a to one that
   * starts with b. If no merge of the table is of that kind, nothing is ever joined across the place, whatever happens
   * left and right of it; and merges on the two sides do not see each other. Only runs of unknown characters need care:
   * they are fused into one token, so the word is not cut inside of them.
   */
  private *cut(word: string): Generator<string> {
    let begin = 0;
    let before = -1;
    for (let at = 0; at < word.length;) {
      const point = word.codePointAt(at)!;
      if (at > begin && !this.junctions.get(before)?.has(point) && !this.areBothUnknown(before, point)) {
        yield word.slice(begin, at);
        begin = at;
      }
      before = point;
      at += point > 0xffff ? 2 : 1;
    }
    if (begin < word.length) yield word.slice(begin);
  }

  /** Characters that have no token and nothing to stand in for them are left out; their neighbours may then merge. */
  private withoutDropped(word: string): string {
    if (this.byteIds || this.unknownId !== undefined) return word;
    const isKnown = (character: string): boolean => this.vocabulary.has(character);
    for (const character of word) if (!isKnown(character)) return Array.from(word).filter(isKnown).join('');
    return word;
  }

  private areBothUnknown(before: number, point: number): boolean {
    if (!this.fuseUnknown) return false;
    return !this.vocabulary.has(String.fromCodePoint(before)) && !this.vocabulary.has(String.fromCodePoint(point));
  }

  private encodePart(part: string): readonly number[] {
    const known = this.remembered.get(part);
    if (known) return known;
    const ids = this.merge(part);
    if (part.length <= REMEMBERED_LENGTH) {
      if (this.remembered.size >= REMEMBERED) this.remembered.clear();
      this.remembered.set(part, ids);
    }
    return ids;
  }

  private merge(part: string): readonly number[] {
    if (part.length > MAX_PART) throw this.tooLong(part.length);
    const ids: number[] = [];
    let afterUnknown = false;
    for (const token of this.merger.bpe(part)) {
      const id = this.vocabulary.get(token);
      if (id !== undefined) ids.push(id);
      else if (this.byteIds) for (const byte of ENCODER.encode(token)) ids.push(this.byteIds[byte]!);
      else if (!(this.fuseUnknown && afterUnknown)) ids.push(this.unknownId!);
      afterUnknown = id === undefined;
    }
    return ids;
  }

  private tooLong(length: number): Error {
    return tokenizerError(
      this.file,
      `words of at most ${MAX_PART} characters, as this tokenizer cuts them`,
      `${length} characters without a place to cut`,
      'Break the text up with spaces or line ends.',
    );
  }
}

/** Merging takes some 300 bytes and 5 µs a character while it lasts. */
const MAX_PART = 2 ** 19;
const REMEMBERED = 2 ** 17;
const REMEMBERED_LENGTH = 64;
const ENCODER = new TextEncoder();

type Merge = [string, string];

function readVocabulary(spec: BytePairSpec, file: string): Map<string, number> {
  const vocabulary = new Map(Object.entries(spec.vocab));
  const taken = new Set<number>();
  for (const [token, id] of vocabulary) {
    const isId = Number.isSafeInteger(id) && id >= 0 && id < 2 ** 31;
    if (isId && taken.size < taken.add(id).size) continue;
    throw tokenizerError(file, `an id for the token ${JSON.stringify(token)} alone`, JSON.stringify(id).slice(0, 60));
  }
  return vocabulary;
}

/** Merges are pairs, or in files of before 2024 texts with a space between the two. */
function readMerges(spec: BytePairSpec, vocabulary: ReadonlyMap<string, number>, file: string): Merge[] {
  return spec.merges.map((merge, rank) => {
    const pair: unknown = typeof merge === 'string' ? merge.split(' ') : merge;
    if (!isPair(pair)) throw tokenizerError(file, `merge ${rank} to be two tokens`, JSON.stringify(merge).slice(0, 60));
    const missing = [...pair, pair[0] + pair[1]].find((token) => !vocabulary.has(token));
    if (missing !== undefined) {
      throw tokenizerError(
        file,
        `the tokens of merge ${rank} in the vocabulary`,
        `none for ${JSON.stringify(missing)}`,
      );
    }
    // Rust merges by id, the library by text: they would differ where a stand-in takes part in a merge.
    const standIn = pair.find((token) => token === spec.unk_token || (spec.byte_fallback && BYTE_TOKEN.test(token)));
    if (standIn !== undefined) throw tokenizerError(file, 'merges of texts only', `one of ${standIn}`);
    return pair;
  });
}

function isPair(value: unknown): value is Merge {
  return Array.isArray(value) && value.length === 2 && value.every((part) => typeof part === 'string' && part !== '');
}

const BYTE_TOKEN = /^<0x[0-9A-F]{2}>$/;

function readByteIds(vocabulary: ReadonlyMap<string, number>, file: string): number[] {
  return Array.from({ length: 256 }, (_, byte) => {
    const token = `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`;
    const id = vocabulary.get(token);
    if (id === undefined) throw tokenizerError(file, 'a token for every byte, with byte_fallback', `none for ${token}`);
    return id;
  });
}

function readUnknown(spec: BytePairSpec, vocabulary: ReadonlyMap<string, number>, file: string): number | undefined {
  const token = spec.unk_token;
  if (token === null || token === undefined) return undefined;
  const id = vocabulary.get(token);
  if (id === undefined) throw tokenizerError(file, `the unk_token ${token} in the vocabulary`, 'no such token');
  return id;
}

/** Last character of a left part → first characters of the right parts that it is merged with. */
function junctionsOf(merges: readonly Merge[]): Map<number, Set<number>> {
  const junctions = new Map<number, Set<number>>();
  for (const [left, right] of merges) {
    const last = lastCodePoint(left);
    const firsts = junctions.get(last);
    if (firsts) firsts.add(right.codePointAt(0)!);
    else junctions.set(last, new Set([right.codePointAt(0)!]));
  }
  return junctions;
}

function lastCodePoint(text: string): number {
  const unit = text.charCodeAt(text.length - 1);
  const isLow = unit >= 0xdc00 && unit <= 0xdfff && text.length > 1;
  return isLow ? text.codePointAt(text.length - 2)! : unit;
}
