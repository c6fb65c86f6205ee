import { readCorpus } from '../checkpoint/corpus.ts';
import { loadTokenizer } from '../checkpoint/tokenizer.ts';

export interface TokenisedText {
  readonly ids: Int32Array;
  /** sha-256 of the text's bytes. */
  readonly textHash: string;
}

/** Token ids of the last few texts: an editor evaluates the same text again and again. Looked up by content, never by name. */
export class TokenCache {
  private readonly kept = new Map<string, TokenisedText>();

  /** @throws EspalierError `corpus/…` or `checkpoint/tokenizer` */
  async tokens(model: string, file: string, signal?: AbortSignal): Promise<TokenisedText> {
    const [tokenizer, corpus] = [await loadTokenizer(model), await readCorpus(file)];
    const key = `${tokenizer.identity} ${corpus.identity}`;
    const found = this.kept.get(key);
    if (found) return found;
    const text = { ids: await tokenizer.encode(corpus.text, signal), textHash: corpus.identity };
    this.kept.set(key, text);
    if (this.kept.size > LIMIT) this.kept.delete(this.kept.keys().next().value!);
    return text;
  }
}

const LIMIT = 4;
