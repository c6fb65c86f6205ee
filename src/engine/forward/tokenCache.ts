import { loadCorpus } from '../checkpoint/corpus.ts';
import { loadTokenizer } from '../tokenizer/tokenizer.ts';

export interface TokenisedText {
  readonly ids: Int32Array;
  /** sha-256 of the text's bytes. */
  readonly textHash: string;
}

/** Texts that are kept: an editor evaluates the same two again and again. */
const LIMIT = 4;

/** Token ids of the last few texts, looked up by content, never by name. */
export class TokenCache {
  private readonly kept = new Map<string, TokenisedText>();

  /**
   * The token ids of a text, tokenised as a whole, with the special tokens that its tokenizer adds by default.
   *
   * @param vocabulary rows of the checkpoint's embedding
   * @throws EspalierError `corpus/…`, or `checkpoint/tokenizer` for ids that the embedding has no row for
   */
  async tokens(
    model: string,
    vocabulary: number,
    file: string,
    signal: AbortSignal | undefined,
    onProgress?: (done: number, total: number) => void,
  ): Promise<TokenisedText> {
    const tokenizer = await loadTokenizer(model, { vocabulary });
    const corpus = await loadCorpus(file, signal);
    const key = `${tokenizer.identity} ${vocabulary} ${corpus.identity}`;
    const found = this.kept.get(key);
    if (found) return found;
    const ids = await tokenizer.encodeAsync(corpus.text, {
      ...(signal && { signal }),
      ...(onProgress && { onProgress }),
    });
    const text = { ids, textHash: corpus.identity };
    this.kept.set(key, text);
    if (this.kept.size > LIMIT) this.kept.delete(this.kept.keys().next().value!);
    return text;
  }
}
