import type { RowsSettings } from '../../experiment/corpusRows.ts';
import { countWords } from '../../experiment/otherPerplexities.ts';
import type { EncodeHooks, Encoding } from '../tokenizer/encoding.ts';

/** What was read of which file. */
export interface OfFile {
  /** sha-256, hex, of its bytes. */
  readonly textHash: string;
  /** {@link DataSet.countingRows} */
  readonly rows: RowsSettings | undefined;
}

/** How much a whole text is. */
export interface TextCounts {
  readonly tokens: number;
  /** {@link countWords} */
  readonly words: number;
  /** In UTF-8. */
  readonly bytes: number;
}

/**
 * A text whose token ids are made when they are asked for: of a long text most evaluations look at the beginning alone. Tokenised as a whole,
 * with the special tokens that its tokenizer adds by default; ids that are there are kept, and so is the text until all are.
 */
export class TokenisedText implements OfFile {
  readonly textHash: string;
  readonly rows: RowsSettings | undefined;
  private open: { readonly text: string; readonly encoding: Encoding } | undefined;
  private made: Int32Array = new Int32Array();
  private counted: TextCounts | undefined;

  constructor({ textHash, rows }: OfFile, text: string, encoding: Encoding) {
    this.textHash = textHash;
    this.rows = rows;
    this.open = { text, encoding };
  }

  /**
   * The first `count` ids, or all where there are fewer.
   *
   * @throws EspalierError `checkpoint/tokenizer`, `cancelled`
   */
  async first(count: number, hooks?: EncodeHooks): Promise<Int32Array> {
    if (this.open && this.made.length < count) {
      const { text, encoding } = this.open;
      this.made = await encoding.first(count, hooks);
      if (encoding.isWhole) {
        this.counted = { tokens: this.made.length, words: countWords(text), bytes: Buffer.byteLength(text) };
        this.open = undefined;
      }
    }
    return this.made.length > count ? this.made.subarray(0, count) : this.made;
  }

  /** @throws EspalierError as {@link first} */
  ids(hooks?: EncodeHooks): Promise<Int32Array> {
    return this.first(Infinity, hooks);
  }

  /** Of the whole text, which is tokenised to its end for that. @throws EspalierError as {@link first} */
  async counts(hooks?: EncodeHooks): Promise<TextCounts> {
    await this.ids(hooks);
    return this.counted!;
  }
}
