/** What turns words into token ids: one of four kinds, each in a file of its own. */
export interface TokenModel {
  /** Ids of tokens by their texts. */
  readonly vocabulary: ReadonlyMap<string, number>;
  /** How many tokens the file lists: added tokens that are in none of them are numbered from here. */
  readonly size: number;
  /** @throws EspalierError `checkpoint/tokenizer` where the word has no ids, or is too long */
  encode(word: string): readonly number[];
  /** The same for a word of any length, part by part; some parts have no ids yet. */
  encodeLong(word: string): Iterable<EncodedPart>;
}

export interface EncodedPart {
  readonly ids: readonly number[];
  /** Characters that were dealt with, for telling how far it is. */
  readonly length: number;
}
