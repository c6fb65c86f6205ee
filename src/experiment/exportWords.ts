import type { ExportReport } from './exportSchema.ts';
import { formatChange, formatPerplexity } from './format.ts';

const TYPE_NAMES: Readonly<Record<string, string>> = { BF16: 'bfloat16', F16: 'float16' };

/** `102.51 (+0.05%), updated weights rounded to bfloat16`: what was written beside what was evaluated in memory, of perplexity `before`. */
export function roundedText({ to, perplexity }: NonNullable<ExportReport['rounded']>, before: number): string {
  const types = to.map((type) => TYPE_NAMES[type] ?? type).join(' and ');
  return `${formatPerplexity(perplexity)} (${formatChange(perplexity, before)}), updated weights rounded to ${types}`;
}
