import { MergeTable } from './mergeTable.ts';
import { shown, tokenizerError, wordTooLong } from './tokenizerError.ts';
import { byteIdsOf, bytesAsIds, readVocabulary } from './vocabulary.ts';
import type { BytePairSpec } from './modelSpec.ts';
import type { EncodedPart, TokenModel } from './tokenModel.ts';

/** Byte-pair encoding (Sennrich et al., 2016): a word begins as its characters, and pairs are merged, the best first. */
export class BytePairs implements TokenModel {
  readonly vocabulary: ReadonlyMap<string, number>;
  readonly size: number;
  private readonly spec: BytePairSpec;
  private readonly file: string;
  private readonly merges: MergeTable;
  /** Ids of <0x00> to <0xFF>, which stand in for characters that have no token. */
  private readonly byteIds: readonly (number | undefined)[] | undefined;
  private readonly unknownId: number | undefined;
  private readonly prefix: string;
  private readonly suffix: string;
  /** Whether some character may have neither a token nor anything that stands in for it: it is left out. */
  private readonly leavesOut: boolean;
  /** Whether characters without a token have to stay together: see {@link symbolsOf}. */
  private readonly joinsUnknown: boolean;
  private readonly remembered = new Map<string, readonly number[]>();

  /** @throws EspalierError `checkpoint/tokenizer` */
  constructor(spec: BytePairSpec, file: string) {
    this.spec = spec;
    this.file = file;
    this.vocabulary = readVocabulary(spec.vocab, file);
    this.size = this.vocabulary.size;
    this.prefix = spec.continuing_subword_prefix ?? '';
    this.suffix = spec.end_of_word_suffix ?? '';
    this.byteIds = spec.byte_fallback ? byteIdsOf(this.vocabulary) : undefined;
    this.unknownId = hasUnknown(spec) ? this.vocabulary.get(spec.unk_token) : undefined;
    const hasAllBytes = this.byteIds?.includes(undefined) === false;
    this.leavesOut = !hasUnknown(spec) && !hasAllBytes;
    this.joinsUnknown = hasUnknown(spec) && !hasAllBytes && (spec.fuse_unk || spec.byte_fallback);
    this.merges = new MergeTable(spec, this.vocabulary, file);
  }

  encode(word: string): readonly number[] {
    const whole = this.spec.ignore_merges ? this.vocabulary.get(word) : undefined;
    return whole === undefined ? this.merges.merge(this.symbolsOf(word)) : [whole];
  }

  *encodeLong(word: string): Generator<EncodedPart> {
    const whole = this.spec.ignore_merges ? this.vocabulary.get(word) : undefined;
    if (whole !== undefined) {
      yield { ids: [whole], length: word.length };
      return;
    }
    for (const part of this.cut(word)) {
      if (part.length <= REMEMBERED_LENGTH) yield { ids: this.encodeRemembered(part), length: part.length };
      else yield* this.encodePart(part);
    }
  }

  /**
   * Cuts a long word (SentencePiece tokenizers see a whole corpus as one) into parts that can be merged by themselves.
   *
   * Why this is exact: a merge across the place between the characters a|b joins a token that ends with a to one that
   * starts with b. If no merge of the table is of that kind, nothing is ever joined across the place, whatever happens
   * left and right of it; and merges on the two sides do not see each other. Only runs of unknown characters need care:
   * the word is not cut inside of them. A character that is left out is not there: those left and right of it are a and b.
   */
  private *cut(word: string): Generator<string> {
    const { junctions } = this.merges;
    let begin = 0;
    let before = -1;
    for (let at = 0; at < word.length && junctions;) {
      const point = word.codePointAt(at)!;
      const next = at + (point > 0xffff ? 2 : 1);
      if (!this.leavesOut || this.vocabulary.has(word.slice(at, next))) {
        if (before >= 0 && !junctions.get(before)?.has(point) && !this.areBothUnknown(before, point)) {
          yield word.slice(begin, at);
          begin = at;
        }
        before = point;
      }
      at = next;
    }
    if (begin < word.length) yield word.slice(begin);
  }

  private areBothUnknown(before: number, point: number): boolean {
    if (!this.joinsUnknown) return false;
    return !this.vocabulary.has(String.fromCodePoint(before)) && !this.vocabulary.has(String.fromCodePoint(point));
  }

  private *encodePart(part: string): Generator<EncodedPart> {
    if (part.length > MAX_PART) throw wordTooLong(this.file, part.length, MAX_PART);
    const merging = this.merges.mergeLong(this.symbolsOf(part));
    let step = merging.next();
    for (; !step.done; step = merging.next()) yield { ids: [], length: 0 };
    yield { ids: step.value, length: part.length };
  }

  private encodeRemembered(part: string): readonly number[] {
    const known = this.remembered.get(part);
    if (known) return known;
    const ids = this.merges.merge(this.symbolsOf(part));
    if (this.remembered.size >= REMEMBERED) this.remembered.clear();
    this.remembered.set(part, ids);
    return ids;
  }

  /**
   * The ids that a word begins as. The order is the Rust library's: a character without a token waits until one with a token
   * follows, or with `fuse_unk` off another one without; bytes that stand in for a character pass it.
   */
  private symbolsOf(word: string): number[] {
    const symbols: number[] = [];
    let isWaiting = false;
    for (let at = 0; at < word.length;) {
      const next = at + (word.codePointAt(at)! > 0xffff ? 2 : 1);
      const character = this.decorated(word, at, next);
      const id = this.vocabulary.get(character);
      const standIns = id === undefined && this.byteIds ? bytesAsIds(character, this.byteIds) : undefined;
      if (id !== undefined) {
        if (isWaiting) symbols.push(this.unknown());
        isWaiting = false;
        symbols.push(id);
      } else if (standIns) {
        symbols.push(...standIns);
      } else if (hasUnknown(this.spec)) {
        if (isWaiting && !this.spec.fuse_unk) symbols.push(this.unknown());
        isWaiting = true;
      }
      at = next;
    }
    if (isWaiting) symbols.push(this.unknown());
    return symbols;
  }

  private decorated(word: string, begin: number, end: number): string {
    const character = end === begin + 1 ? word[begin]! : word.slice(begin, end);
    if (this.prefix === '' && this.suffix === '') return character;
    return (begin > 0 ? this.prefix : '') + character + (end === word.length ? this.suffix : '');
  }

  private unknown(): number {
    if (this.unknownId !== undefined) return this.unknownId;
    throw tokenizerError(this.file, `the unk_token ${shown(this.spec.unk_token)} in the vocabulary`, 'no such token');
  }
}

/** Merging takes some 40 bytes and 1 µs a character while it lasts. */
const MAX_PART = 2 ** 23;
const REMEMBERED = 2 ** 17;
const REMEMBERED_LENGTH = 64;

function hasUnknown(spec: BytePairSpec): spec is BytePairSpec & { readonly unk_token: string } {
  return typeof spec.unk_token === 'string';
}
