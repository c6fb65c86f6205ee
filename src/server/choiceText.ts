import { codePoints } from '../base/pythonText.ts';
import { StopTexts } from '../engine/generation/stopTexts.ts';
import type { TokenEntry } from './logprobs.ts';
import type { Prompt } from './readPrompts.ts';
import type { Served, TokenScore, TokenTexts } from './served.ts';

/** What is new of a choice. */
export interface ChoicePart {
  readonly text: string;
  readonly tokens: readonly TokenEntry[];
  /** Why it ends, with the last part. */
  readonly finish: 'stop' | 'length' | null;
}

/** One choice as its tokens come: their text up to a stop, each with the place where its text begins. */
export class ChoiceText {
  private readonly served: Served;
  private readonly texts: TokenTexts;
  private readonly stops: StopTexts;
  /** Code points that tokens have said, and that were given out; those of an echo before them. */
  private said: number;
  private given: number;
  private waiting: TokenEntry[] = [];
  private ended = false;
  /** Tokens that came, the one that ends the text included. */
  count = 0;

  /** @param before code points of the answer's text before it: those of an echo */
  constructor(served: Served, prompt: Prompt, stops: readonly string[], before: number) {
    this.served = served;
    this.texts = served.textsAfter(prompt.ids);
    this.stops = new StopTexts(stops);
    this.said = before;
    this.given = before;
  }

  /** @returns what is certain now; undefined for nothing yet */
  push(score: TokenScore): ChoicePart | undefined {
    // What a question of several tokens brings after a stop is not part of it.
    if (this.stops.stopped || this.ended) return undefined;
    this.count++;
    this.waiting.push({ id: score.id, offset: this.said, score });
    if (this.served.ends.has(score.id)) {
      this.ended = true;
      return undefined;
    }
    return this.take(this.texts.push(score.id));
  }

  /** The last part. */
  end(): ChoicePart {
    const rest = this.stops.stopped ? undefined : this.take(this.texts.end());
    const held = this.stops.end();
    this.given += codePoints(held);
    const { stopped } = this.stops;
    // Of a text that was cut, tokens that lie wholly behind the cut go with it; one that ends a text has none of its own and stays.
    const tokens = [...(rest?.tokens ?? []), ...this.waiting.filter(({ offset }) => !stopped || offset < this.given)];
    return {
      text: (rest?.text ?? '') + held,
      tokens,
      finish: stopped || this.ended ? 'stop' : 'length',
    };
  }

  private take(text: string): ChoicePart | undefined {
    this.said += codePoints(text);
    const certain = this.stops.push(text);
    this.given += codePoints(certain);
    if (certain === '') return undefined;
    const tokens = this.waiting.filter(({ offset }) => offset < this.given);
    this.waiting = this.waiting.slice(tokens.length);
    return { text: certain, tokens, finish: null };
  }
}

/** What stands before an answer that repeats its prompt. @param scores of each token but the first; undefined where none are asked for */
export function echoOf(
  { ids, text }: Prompt,
  scores: readonly TokenScore[] | undefined,
  served: Served,
): Pick<ChoicePart, 'text' | 'tokens'> {
  if (!scores) return { text, tokens: [] };
  const texts = served.textsAfter(new Int32Array());
  let at = 0;
  let offset = 0;
  const tokens = Array.from(ids, (id, index): TokenEntry => {
    const entry = { id, offset, score: index === 0 ? undefined : scores[index - 1] };
    const length = lengthAt(text, at, texts.push(id) || served.tokenText(id));
    offset += codePoints(text.slice(at, at + length));
    at += length;
    return entry;
  });
  return { text, tokens };
}

/**
 * How much of the text a token is. A special token may be part of it or have been put around it, a normaliser may have changed it, and what a text
 * begins with is decoded without the space before it: what is not there has no length.
 */
function lengthAt(text: string, at: number, token: string): number {
  if (text.startsWith(token, at)) return token.length;
  return text.startsWith(` ${token}`, at) ? token.length + 1 : 0;
}
