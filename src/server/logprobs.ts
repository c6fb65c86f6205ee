import type { Served, TokenScore } from './served.ts';

/** A token of an answer, where its text begins, and what the model thought of it: nothing of the very first of a text. */
export interface TokenEntry {
  readonly id: number;
  /** Unicode code points of the answer's text before it. */
  readonly offset: number;
  readonly score: TokenScore | undefined;
}

/** `logprobs` of a choice, as OpenAI's completions have it: lists with a place for each token. */
export interface Logprobs {
  readonly tokens: string[];
  readonly token_logprobs: (number | null)[];
  readonly top_logprobs: (Readonly<Record<string, number>> | null)[];
  readonly text_offset: number[];
}

/** @param asIds tokens are called `token_id:17`, which no two share */
export function logprobsOf(entries: readonly TokenEntry[], served: Served, asIds: boolean): Logprobs {
  const name = (id: number): string => (asIds ? `token_id:${id}` : served.tokenText(id));
  return {
    tokens: entries.map(({ id }) => name(id)),
    token_logprobs: entries.map(({ score }) => score?.logProbability ?? null),
    top_logprobs: entries.map(({ score }) => (score ? topOf(score, name) : null)),
    text_offset: entries.map(({ offset }) => offset),
  };
}

/**
 * The most probable tokens by what they are called, and the token itself: clients compare it with the largest of them. Of two that are
 * called alike the more probable one stands.
 */
function topOf({ id, logProbability, top }: TokenScore, name: (id: number) => string): Record<string, number> {
  const found = new Map<string, number>();
  for (const ranked of [...top, { id, logProbability }]) {
    const called = name(ranked.id);
    found.set(called, Math.max(ranked.logProbability, found.get(called) ?? -Infinity));
  }
  return Object.fromEntries(found);
}
