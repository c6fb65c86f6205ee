import { shown, tokenizerError } from './tokenizerError.ts';
import { readVocabulary } from './vocabulary.ts';
import type { WordPieceSpec } from './modelSpec.ts';
import type { EncodedPart, TokenModel } from './tokenModel.ts';

/** BERT's WordPiece: from the left, always the longest token that fits; a word that cannot be made up is unknown as a whole. */
export class WordPiece implements TokenModel {
  readonly vocabulary: ReadonlyMap<string, number>;
  readonly size: number;
  private readonly spec: WordPieceSpec;
  private readonly file: string;
  /** Characters (UTF-16 units) of the longest token. */
  private readonly longest: number;

  /** @throws EspalierError `checkpoint/tokenizer` */
  constructor(spec: WordPieceSpec, file: string) {
    this.spec = spec;
    this.file = file;
    this.vocabulary = readVocabulary(spec.vocab, file);
    this.size = this.vocabulary.size;
    this.longest = longestOf(this.vocabulary);
  }

  encode(word: string): readonly number[] {
    const ids: number[] = [];
    for (const part of this.encodeLong(word)) ids.push(...part.ids);
    return ids;
  }

  *encodeLong(word: string): Generator<EncodedPart> {
    const limit = this.spec.max_input_chars_per_word;
    if (word.length > limit && countCharacters(word, limit + 1) > limit) {
      yield { ids: [this.unknown()], length: word.length };
      return;
    }
    const ids: number[] = [];
    let told = 0;
    for (let at = 0; at < word.length;) {
      const end = this.matchAt(word, at, ids);
      if (end < 0) {
        yield { ids: [this.unknown()], length: word.length - told };
        return;
      }
      at = end;
      if (at - told >= STRIDE && at < word.length) {
        yield { ids: [], length: at - told };
        told = at;
      }
    }
    yield { ids, length: word.length - told };
  }

  /** Pushes the longest token at a place, and returns where it ends; −1 where there is none. */
  private matchAt(word: string, at: number, ids: number[]): number {
    const prefix = at > 0 ? this.spec.continuing_subword_prefix : '';
    for (let end = Math.min(word.length, at + this.longest); end > at; end--) {
      const id = this.vocabulary.get(prefix + word.slice(at, end));
      if (id === undefined) continue;
      ids.push(id);
      return end;
    }
    return -1;
  }

  private unknown(): number {
    const id = this.vocabulary.get(this.spec.unk_token);
    if (id !== undefined) return id;
    throw tokenizerError(this.file, `the unk_token ${shown(this.spec.unk_token)} in the vocabulary`, 'no such token');
  }
}

/** Characters between two stops. */
const STRIDE = 2 ** 14;

function longestOf(vocabulary: ReadonlyMap<string, number>): number {
  let longest = 0;
  for (const token of vocabulary.keys()) longest = Math.max(longest, token.length);
  return longest;
}

/** Code points, counted no further than `enough`. */
function countCharacters(word: string, enough: number): number {
  let count = 0;
  for (let at = 0; at < word.length && count < enough; count++) at += word.codePointAt(at)! > 0xffff ? 2 : 1;
  return count;
}
