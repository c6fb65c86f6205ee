/** How numbers are spelled for a person, the same in the editor and on the command line. */

/** Significant digits of a perplexity; at most so many where fewer would make different ones look the same. */
const DIGITS = 4;
const MOST_DIGITS = 6;

/** In the place of a figure that there is not. */
const NONE = '–';

/** Perplexity: four significant digits (see {@link perplexityDigits} for more), and never an exponent below a million; a dash where there is none. */
export function formatPerplexity(value: number | undefined, digits = DIGITS): string {
  if (value === undefined) return NONE;
  if (!Number.isFinite(value)) return String(value);
  if (value >= 1e6) return value.toExponential(3);
  if (value >= 1000) return String(Number(value.toPrecision(digits)));
  return value.toPrecision(digits);
}

/**
 * Digits that tell perplexities which stand together apart, 4 to 6 of them: 2.4461 and 2.4463 are no tie. Only the lowest are looked
 * at, which are those that one chooses between; where even six digits do not help, four are enough.
 */
export function perplexityDigits(values: readonly (number | undefined)[], lowest = 10): number {
  const known = values.filter((value) => value !== undefined);
  const sorted = [...new Set(known.filter(Number.isFinite))].sort((a, b) => a - b).slice(0, lowest);
  const toldApart = (digits: number): number => new Set(sorted.map((value) => formatPerplexity(value, digits))).size;
  const most = toldApart(MOST_DIGITS);
  let digits = DIGITS;
  while (toldApart(digits) < most) digits++;
  return digits;
}

/** A pruned perplexity against the dense one: `+1.7 %`. */
export function formatChange(pruned: number | undefined, dense: number | undefined): string {
  if (pruned === undefined || dense === undefined) return NONE;
  const percent = (pruned / dense - 1) * 100;
  if (!Number.isFinite(percent)) return String(percent);
  const digits = Math.abs(percent) < 10 ? 1 : 0;
  const rounded = Math.abs(percent).toFixed(digits);
  const sign = Number(rounded) === 0 ? '±' : percent < 0 ? '−' : '+';
  return `${sign}${rounded} %`;
}

/** A small difference in percent, with two digits of it: `+0.024 %`. */
export function formatGap(perplexity: number, reference: number): string {
  const percent = (perplexity / reference - 1) * 100;
  if (!(Math.abs(percent) < 1)) return formatChange(perplexity, reference);
  return `${percent < 0 ? '−' : '+'}${Number(Math.abs(percent).toPrecision(2))} %`;
}

/** A share as percent with one decimal where it says something: `50 %`, `49.9 %`. */
export function formatShare(share: number): string {
  return `${Number((share * 100).toFixed(1))} %`;
}

/** `1 document`, `12 documents`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** `1.8 s`, `4 min`, `2.5 h`. */
export function formatSeconds(seconds: number): string {
  if (seconds < 99.95) return `${seconds.toFixed(1)} s`;
  if (seconds < 90 * 60) return `${Math.round(seconds / 60)} min`;
  return `${(seconds / 3600).toFixed(1)} h`;
}

/** Bytes: `812 kB`, `26 MB`, `1.4 GB`. */
export function formatBytes(bytes: number): string {
  const units = [
    [1e12, 'TB'],
    [1e9, 'GB'],
    [1e6, 'MB'],
    [1e3, 'kB'],
  ] as const;
  const unit = units.find(([size]) => bytes >= size);
  return unit === undefined ? `${Math.round(bytes)} B` : `${Number((bytes / unit[0]).toPrecision(2))} ${unit[1]}`;
}

/** Counts of parameters and tokens: `6.45M`, `7.1B`, `987`. */
export function formatCount(count: number): string {
  const units = [
    [1e12, 'T'],
    [1e9, 'B'],
    [1e6, 'M'],
    [1e3, 'k'],
  ] as const;
  const unit = units.find(([size]) => count >= size);
  return unit === undefined ? String(count) : `${Number((count / unit[0]).toPrecision(3))}${unit[1]}`;
}

/** Tokens a second: `28706`, `98.4`. */
export function formatRate(tokensPerSecond: number): string {
  return tokensPerSecond >= 100 ? tokensPerSecond.toFixed(0) : tokensPerSecond.toPrecision(3);
}

/** Enough of a fingerprint to tell results apart by eye. */
export function shortFingerprint(fingerprint: string): string {
  return fingerprint.slice(0, 12);
}
