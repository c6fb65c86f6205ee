import { findSecret } from './findSecret.ts';

/** Most of what a server says that is repeated in an error, in UTF-16 units. */
const LONGEST = 300;
const HIDDEN = '[key]';
/** A key that is shorter may stand in a reply by chance; no provider gives out one so short. */
const SHORTEST_SECRET = 8;

/** One that is shorter still is not looked for in messages either. */
const SHORTEST_WORD = 4;
/** UTF-16 units that a message is looked through. */
const LONGEST_SAID = 1 << 20;

/**
 * What a server or a library said, fit for an error: without the key however it is encoded (some servers repeat what they were sent),
 * without what looks like one, on one line, and short. A key that is shorter than others are is hidden where it is a word of its own.
 */
export function redactMessage(text: string, key: string | undefined): string {
  const hidden = withoutWord(redactReply(text.slice(0, LONGEST_SAID), key), key)
    // Not before: a key that is cut in two is not found.
    .slice(0, 64 << 10)
    .replace(/\b(bearer|basic)\s+(?!\[key\])[^\s"',;)}\]]+/gi, `$1 ${HIDDEN}`)
    .replace(/\bsk-[\w*.-]+/g, HIDDEN)
    .replace(/\/\/[^\s/@]+@/g, '//')
    // Control characters could forge lines of a log.
    .replace(/[\p{Cc}\s]+/gu, ' ')
    .trim();
  return hidden.length > LONGEST ? `${hidden.slice(0, LONGEST)}…` : hidden;
}

/** A reply in which a server has repeated the key, see {@link findSecret}. A text without the key stays as it is. */
export function redactReply(text: string, key: string | undefined): string {
  if (key === undefined || key.length < SHORTEST_SECRET) return text;
  const parts: string[] = [];
  let from = 0;
  for (const [begin, end] of findSecret(text, key)) {
    parts.push(text.slice(from, begin), HIDDEN);
    from = end;
  }
  return parts.length === 0 ? text : parts.join('') + text.slice(from);
}

function withoutWord(text: string, key: string | undefined): string {
  if (key === undefined || key.length < SHORTEST_WORD || key.length >= SHORTEST_SECRET) return text;
  const escaped = key.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
  return text.replace(new RegExp(`(?<![\\w-])${escaped}(?![\\w-])`, 'g'), HIDDEN);
}
