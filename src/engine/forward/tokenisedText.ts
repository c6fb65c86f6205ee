import type { RowsSettings } from '../../experiment/corpusRows.ts';
import { countWords } from '../../experiment/otherPerplexities.ts';
import type { EncodeHooks, Encoding } from '../tokenizer/encoding.ts';
import type { KnownTokens, TextCounts } from './tokenFolder.ts';

/** What was read of which file. */
export interface OfFile {
  /** sha-256, hex, of its bytes. */
  readonly textHash: string;
  /** {@link DataSet.countingRows} */
  readonly rows: RowsSettings | undefined;
}

/** A text, and what is known of it. */
export interface Tokenisable {
  readonly known?: KnownTokens | undefined;
  /** Undefined where all ids are known. */
  readonly source?: UnreadText | undefined;
}

interface UnreadText {
  readonly text: string;
  /** Makes its tokenizer ready. @throws EspalierError `checkpoint/tokenizer` */
  readonly encode: () => Encoding;
  /** Called once all ids are made. */
  readonly remember: (ids: Int32Array, counts: TextCounts) => Promise<void>;
}

/**
 * A text whose token ids are made when they are asked for: of a long text most evaluations look at the beginning alone. Tokenised as a whole,
 * with the special tokens that its tokenizer adds by default; ids that are there are kept, and so is the text until all are.
 */
export class TokenisedText implements OfFile {
  readonly textHash: string;
  readonly rows: RowsSettings | undefined;
  private source: UnreadText | undefined;
  private encoding: Encoding | undefined;
  private made: Int32Array;
  private counted: TextCounts | undefined;

  constructor({ textHash, rows }: OfFile, { known, source }: Tokenisable) {
    this.textHash = textHash;
    this.rows = rows;
    this.source = source;
    this.made = known?.ids ?? new Int32Array();
    this.counted = known?.counts;
  }

  /**
   * The first `count` ids, or all where there are fewer.
   *
   * @throws EspalierError `checkpoint/tokenizer`, `cancelled`
   */
  async first(count: number, hooks?: EncodeHooks): Promise<Int32Array> {
    if (this.source && this.made.length < count) {
      const { text, encode, remember } = this.source;
      this.encoding ??= encode();
      this.made = await this.encoding.first(count, hooks);
      if (this.encoding.isWhole) {
        const isNew = this.counted === undefined;
        this.counted ??= { tokens: this.made.length, words: countWords(text), bytes: Buffer.byteLength(text) };
        this.source = this.encoding = undefined;
        if (isNew) await remember(this.made, this.counted);
      }
    }
    return this.made.length > count ? this.made.subarray(0, count) : this.made;
  }

  /** @throws EspalierError as {@link first} */
  ids(hooks?: EncodeHooks): Promise<Int32Array> {
    return this.first(Infinity, hooks);
  }

  /** Of the whole text, which is tokenised to its end for that where it is not known. @throws EspalierError as {@link first} */
  async counts(hooks?: EncodeHooks): Promise<TextCounts> {
    if (!this.counted) await this.ids(hooks);
    return this.counted!;
  }
}
