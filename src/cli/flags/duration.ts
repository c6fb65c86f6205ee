import { InvalidArgumentError } from 'commander';

const UNITS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000 };

/** Milliseconds of a duration such as `20s`, `10m` or `1.5h`, as commander has flags parsed. */
export function parseDuration(text: string): number {
  const [, amount, unit] = /^(\d{1,6}(?:\.\d{1,3})?)([smh])$/.exec(text.trim()) ?? [];
  if (amount === undefined || unit === undefined)
    throw new InvalidArgumentError('It takes a duration such as 20s, 10m or 1.5h.');
  return Number(amount) * UNITS[unit]!;
}
