import { loadCorpus } from '../corpus/corpus.ts';
import { EspalierError } from '../../base/errors.ts';
import type { LoadedModel } from './loadedModels.ts';
import { readTokenizer } from '../tokenizer/tokenizer.ts';

export interface TokenisedText {
  readonly ids: Int32Array;
  /** sha-256 of the text's bytes. */
  readonly textHash: string;
}

/** Whose tokens. */
export interface TokenizerOf {
  /** The checkpoint's. */
  readonly folder: string;
  /** Rows of the checkpoint's embedding. */
  readonly vocabulary: number;
  /** Of the tokenizer that the number will say it is of, where there is one. */
  readonly identity?: string;
}

/** The tokenizer of a model as it was identified. */
export function tokenizerOf({ checkpoint, identity }: LoadedModel): TokenizerOf {
  return { folder: checkpoint.folder, vocabulary: checkpoint.config.vocabulary, identity: identity.tokenizer };
}

/** Texts that are kept: an editor evaluates the same two again and again. */
const LIMIT = 4;

/** Token ids of the last few texts, looked up by content, never by name. */
export class TokenCache {
  private readonly kept = new Map<string, TokenisedText>();

  /**
   * The token ids of a text, tokenised as a whole, with the special tokens that its tokenizer adds by default.
   *
   * @throws EspalierError `corpus/…`, or `checkpoint/tokenizer` for ids that the embedding has no row for, and for a tokenizer that
   * is no longer what the checkpoint was identified with
   */
  async tokens(
    { folder, vocabulary, identity }: TokenizerOf,
    file: string,
    signal: AbortSignal | undefined,
    onProgress?: (done: number, total: number) => void,
  ): Promise<TokenisedText> {
    const tokenizer = await readTokenizer(folder);
    if (identity !== undefined && tokenizer.identity !== identity) throw changed(folder);
    const corpus = await loadCorpus(file, { signal });
    const key = `${tokenizer.identity} ${vocabulary} ${corpus.identity}`;
    const found = this.kept.get(key);
    if (found) return found;
    const ids = await tokenizer.compile({ vocabulary }).encodeAsync(corpus.text, {
      ...(signal && { signal }),
      ...(onProgress && { onProgress }),
    });
    const text = { ids, textHash: corpus.identity };
    this.kept.set(key, text);
    if (this.kept.size > LIMIT) this.kept.delete(this.kept.keys().next().value!);
    return text;
  }
}

function changed(folder: string): EspalierError {
  return new EspalierError({
    code: 'checkpoint/tokenizer',
    operation: `reading the tokenizer of ${folder}`,
    expected: 'tokenizer.json and tokenizer_config.json as they were when the checkpoint was identified',
    actual: 'others, written since',
    remedy: 'Evaluate again, once nothing writes to the checkpoint any more.',
    file: folder,
  });
}
