import type { Tokenizer } from './tokenizer.ts';

/** Tokens whose text may be held back: no character has more bytes. */
const LONGEST_CHARACTER = 4;

/** Tokens of what came before that are looked at: enough that no decoder takes what follows for the beginning of a text. */
const CONTEXT = 8;

/**
 * The text of tokens as they come. Text is given out once no further token can change it: a character of several tokens comes when it is whole.
 *
 * As the Rust library's `DecodeStream` does it: what a token adds is the difference between the texts of the last tokens with and without it.
 */
export class TextStream {
  private readonly tokenizer: Pick<Tokenizer, 'decode'>;
  private window: number[];
  /** The text of the window that was given out, and of how many tokens it is. */
  private given: string;
  private givenTokens: number;

  /** @param before what the tokens continue; their text is not given out. Empty: they are a text of their own */
  constructor(tokenizer: Pick<Tokenizer, 'decode'>, before: Int32Array = new Int32Array()) {
    this.tokenizer = tokenizer;
    this.window = Array.from(before.subarray(Math.max(0, before.length - CONTEXT)));
    this.givenTokens = this.window.length;
    this.given = tokenizer.decode(this.window);
  }

  /** The text that is certain now; often that of the token, sometimes none, sometimes that of several. */
  push(id: number): string {
    this.window.push(id);
    const held = this.window.length - this.givenTokens;
    const text = this.tokenizer.decode(this.window);
    if (text.endsWith(UNKNOWN) && held < LONGEST_CHARACTER) return '';
    return this.give(text);
  }

  /** What was held back: the rest of a character that did not become whole. */
  end(): string {
    return this.give(this.tokenizer.decode(this.window));
  }

  private give(text: string): string {
    const added = text.startsWith(this.given)
      ? text.slice(this.given.length)
      : this.tokenizer.decode(this.window.slice(this.givenTokens));
    // Tokens without a text of their own stay, so that the window never begins with what a decoder would take for the beginning of a text.
    if (added !== '') {
      this.window = this.window.slice(this.givenTokens);
      this.given = this.tokenizer.decode(this.window);
    } else {
      this.given = text;
    }
    this.givenTokens = this.window.length;
    return added;
  }
}

const UNKNOWN = '\ufffd';
