/** Code points and ranges of them, in hexadecimal, as a class of a regular expression with the flag `u` or `v`. */
export function characterClass(points: string): string {
  return `[${points.replaceAll(/[0-9a-f]+/g, '\\u{$&}').replaceAll(/\s/g, '')}]`;
}

/** First and last code point of each range of such a list. */
export function rangesOf(points: string): (readonly [first: number, last: number])[] {
  return points
    .trim()
    .split(/\s+/)
    .map((range) => {
      const [first, last = first] = range.split('-').map((point) => parseInt(point, 16));
      return [first!, last!];
    });
}

/** What Unicode counts as white space, which is settled: Rust’s `char::is_whitespace`. */
export const WHITE_SPACE = '\\t-\\r\\u0020\\u0085\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000';
