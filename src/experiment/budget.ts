import type { Budget } from './budgetSchema.ts';
import { MOST_BYTES, MOST_TIMES_FASTER } from './limits.ts';

/** What can be written behind a number of bytes. */
export const BYTE_UNITS = { GB: 1e9, MB: 1e6, GiB: 2 ** 30, MiB: 2 ** 20 } as const;
export type ByteUnit = keyof typeof BYTE_UNITS;

/** The forms of a budget, as they are explained and offered. */
export const BUDGET_FORMS = [
  { example: '1.5x faster', documentation: 'that much faster through a text than the dense model, on this device' },
  { example: '1.5x faster decode', documentation: 'that much faster from token to token, on this device' },
  { example: '40% fewer parameters', documentation: 'that many parameters fewer, those of the whole model' },
  { example: '2 GB', documentation: 'weights of that size at most, as the checkpoint stores them (MB, GB, MiB, GiB)' },
] as const;

/** `1.5x faster`, `1.5x faster decode`, `40% fewer parameters` or `2 GB`; undefined when it is none of them or out of range. */
export function parseBudget(text: string): Budget | undefined {
  const match = FORM.exec(text.trim());
  if (!match) return undefined;
  const { times, stage, percent, amount, unit } = match.groups as Partial<Record<string, string>>;
  if (times !== undefined) {
    const value = Number(times);
    if (!(value > 1 && value <= MOST_TIMES_FASTER)) return undefined;
    return { quantity: stage === 'decode' ? 'decode' : 'prefill', times: value };
  }
  if (percent !== undefined) {
    const share = Number(percent) / 100;
    return share > 0 && share < 1 ? { quantity: 'parameters', share } : undefined;
  }
  const bytes = Math.round(Number(amount) * BYTE_UNITS[unit as ByteUnit]);
  return bytes >= 1 && bytes <= MOST_BYTES ? { quantity: 'bytes', bytes } : undefined;
}

/** What is meant by what is almost a budget: `1.5 faster`, `40% fewer`, `2gb`; undefined where that is anybody's guess. */
export function nearestBudget(text: string): string | undefined {
  const [, number, percent, words] = new RegExp(String.raw`^(${NUMBER})\s*(%?)\s*(.*)$`).exec(text.trim()) ?? [];
  if (number === undefined || words === undefined) return undefined;
  const guess = percent === '%' ? `${number}% fewer parameters` : `${number}${wordsMeant(words.toLowerCase())}`;
  const means = parseBudget(guess);
  return means && printBudget(means);
}

/** What stands behind a number. */
function wordsMeant(words: string): string {
  if (/^[kmgt]i?b?$/.test(words)) {
    const unit = Object.keys(BYTE_UNITS).find((known) => known.toLowerCase().startsWith(words.replace(/b?$/, '')));
    return unit === undefined ? words : ` ${words.includes('i') ? unit.replace(/i?B/, 'iB') : unit}`;
  }
  return /^(?:x|times)?\s*(?:fast|speed)/.test(words) || words === 'x'
    ? `x faster${words.includes('dec') ? ' decode' : ''}`
    : words;
}

/** The spelling that {@link parseBudget} reads back to the same. */
export function printBudget(budget: Budget): string {
  switch (budget.quantity) {
    case 'prefill':
      return `${plain(budget.times)}x faster`;
    case 'decode':
      return `${plain(budget.times)}x faster decode`;
    case 'parameters':
      return `${plain(Number((budget.share * 100).toPrecision(12)))}% fewer parameters`;
    case 'bytes':
      return printBytes(budget.bytes);
  }
}

/** The shortest of its spellings, the larger unit among equals: bytes are exact in MB. */
function printBytes(bytes: number): string {
  const [shortest] = Object.entries(BYTE_UNITS)
    .map(([unit, size]) => ({ amount: plain(bytes / size), size, unit }))
    .filter(({ amount, size }) => Math.round(Number(amount) * size) === bytes && (bytes >= size || size === 1e6))
    .sort((a, b) => a.amount.length - b.amount.length || b.size - a.size);
  return `${shortest!.amount} ${shortest!.unit}`;
}

/** Without an exponent, which the language has no budgets with. */
function plain(value: number): string {
  const text = String(value);
  return text.includes('e') ? value.toFixed(20).replace(/\.?0+$/, '') : text;
}

const NUMBER = String.raw`\d+(?:\.\d*)?|\.\d+`;
const FORM = new RegExp(
  String.raw`^(?:(?<times>${NUMBER})\s*x\s+faster(?:\s+(?<stage>prefill|decode))?` +
    String.raw`|(?<percent>${NUMBER})\s*%\s+fewer\s+parameters` +
    String.raw`|(?<amount>${NUMBER})\s*(?<unit>${Object.keys(BYTE_UNITS).join('|')}))$`,
);
