/** Most of what a server says that is repeated in an error, in UTF-16 units. */
const LONGEST = 300;
const HIDDEN = '[key]';
/** A key that is shorter may stand in a reply by chance; no provider gives out one so short. */
const SHORTEST_SECRET = 8;

/**
 * What a server or a library said, fit for an error: without the key in any spelling (some servers repeat what they were sent), without
 * what looks like one, on one line, and short.
 */
export function redactMessage(text: string, key: string | undefined): string {
  const hidden = spellings(key)
    .reduce((message, spelling) => message.replaceAll(spelling, HIDDEN), text)
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

/** A reply in which a server has repeated the key. */
export function redactReply(text: string, key: string | undefined): string {
  if (key === undefined || key.length < SHORTEST_SECRET) return text;
  return spellings(key).reduce((reply, spelling) => reply.replaceAll(spelling, HIDDEN), text);
}

/** The longest first, so that no spelling is hidden in part only. */
function spellings(key: string | undefined): readonly string[] {
  if (key === undefined || key === '') return [];
  const bytes = Buffer.from(key);
  const all = [
    key,
    JSON.stringify(key).slice(1, -1),
    encodeURIComponent(key),
    bytes.toString('base64'),
    bytes.toString('base64').replace(/=+$/, ''),
    bytes.toString('base64url'),
    bytes.toString('hex'),
    Buffer.from(`Bearer ${key}`).toString('base64'),
  ];
  return [...new Set(all)].sort((a, b) => b.length - a.length);
}
