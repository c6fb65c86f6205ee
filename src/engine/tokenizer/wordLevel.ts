import { shown, tokenizerError } from './tokenizerError.ts';
import { readVocabulary } from './vocabulary.ts';
import type { WordLevelSpec } from './modelSpec.ts';
import type { EncodedPart, TokenModel } from './tokenModel.ts';

/** A word is a token, or unknown. */
export class WordLevel implements TokenModel {
  readonly vocabulary: ReadonlyMap<string, number>;
  readonly size: number;
  private readonly unknownToken: string;
  private readonly file: string;

  /** @throws EspalierError `checkpoint/tokenizer` */
  constructor(spec: WordLevelSpec, file: string) {
    this.file = file;
    this.vocabulary = readVocabulary(spec.vocab, file);
    this.size = this.vocabulary.size;
    this.unknownToken = spec.unk_token;
  }

  encode(word: string): readonly number[] {
    const id = this.vocabulary.get(word) ?? this.vocabulary.get(this.unknownToken);
    if (id !== undefined) return [id];
    throw tokenizerError(this.file, `the unk_token ${shown(this.unknownToken)} in the vocabulary`, 'no such token');
  }

  *encodeLong(word: string): Generator<EncodedPart> {
    yield { ids: this.encode(word), length: word.length };
  }
}
