import type { ExportReport } from './exportSchema.ts';
import { formatChange, formatPerplexity } from './format.ts';

const TYPE_NAMES: Readonly<Record<string, string>> = {
  BF16: 'bfloat16',
  F16: 'float16',
  Q8_0: '8 bits (Q8_0)',
};

/** `102.51 (+0.05%), updated weights rounded to bfloat16`: what was written beside what was evaluated in memory, of perplexity `before`. */
export function roundedText({ to, all, perplexity }: NonNullable<ExportReport['rounded']>, before: number): string {
  const types = to.map((type) => TYPE_NAMES[type] ?? type).join(' and ');
  return `${formatPerplexity(perplexity)} (${formatChange(perplexity, before)}), ${all ? 'weights' : 'updated weights'} rounded to ${types}`;
}
