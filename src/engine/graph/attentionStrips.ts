/** Queries `begin … end − 1`, and the keys that one of them sees, in order and without gaps. */
export interface Strip {
  readonly begin: number;
  readonly end: number;
  readonly parts: readonly StripPart[];
}

/** Keys `first … end − 1`: all queries of the strip see all of them, unless it is masked. */
export interface StripPart {
  readonly first: number;
  readonly end: number;
  readonly masked: boolean;
}

/** Of `units` matrices of queries so many are worked off together, and of each the queries of so many tokens. */
export interface StripSize {
  readonly units: number;
  readonly rows: number;
}

/**
 * Elements of scores that exist at a time, where one unit and the fewest rows allow it: several of them fit into the cache that cores share. Of long
 * texts as many more as they have tokens: a program of more nodes takes long to make ready.
 */
const tileOf = (tokens: number): number => Math.max(1 << 22, tokens << 10);

/** Rows of a product of which the runtime has packed the other matrix: with fewer, packing is what takes the time. */
const PRODUCT_ROWS = 256;

/**
 * About eight strips, of 64 tokens at least: finer ones save few products more and cost a run of small operators each. Where heads share keys
 * few tokens are rows enough; of long texts strips are no more than 64 until they are 256 tokens high.
 *
 * @param share queries of a token that are in one unit
 */
export function stripSize(units: number, tokens: number, share: number, window = tokens): StripSize {
  const high = Math.min(256, Math.max(64, PRODUCT_ROWS / share, tokens / 64));
  const rows = Math.min(tokens, Math.ceil(Math.min(Math.max(64, tokens / 8), high)));
  const columns = Math.min(tokens, window + rows);
  return { rows, units: Math.min(units, Math.max(1, Math.floor(tileOf(tokens) / (share * rows * columns)))) };
}

/**
 * Of the way back, where more exists of a strip: fewer tokens. Strips of another height have no tensor of the shapes of those of the way there, either,
 * which the runtime would hold from one to the other to use them again.
 */
export function backwardSize(units: number, tokens: number, share: number, window = tokens): StripSize {
  const there = stripSize(units, tokens, share, window);
  return { ...there, rows: Math.ceil((there.rows * 3) / 4) };
}

/**
 * Strips of queries that see themselves and the `window` − 1 tokens before them: what all of a strip see needs no mask, so that only the keys at the
 * diagonal, and those at which the window begins, have one. Keys that none of them sees are in no part.
 */
export function causalStrips(tokens: number, rows: number, window = tokens): Strip[] {
  return Array.from({ length: Math.ceil(tokens / rows) }, (_, i) => {
    const begin = i * rows;
    const end = Math.min(begin + rows, tokens);
    const first = Math.max(0, begin - window + 1);
    // Keys that the last query sees, and those that the first one sees: what is in both all see.
    const [open, own] = [Math.max(0, end - window), begin];
    const parts =
      open >= own
        ? [{ first, end, masked: true }]
        : [
            { first, end: open, masked: true },
            { first: open, end: own, masked: false },
            { first: own, end, masked: true },
          ];
    return { begin, end, parts: parts.filter((part) => part.end > part.first) };
  });
}
