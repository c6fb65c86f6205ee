import { formatShare } from '../../../src/experiment/format.ts';
import type { FallbackEvent } from '../../../src/search/llm/events.ts';
import type { LlmRole } from '../../../src/search/llm/roles.ts';
import type { LlmSettings } from '../../../src/search/llm/settings.ts';
import { h } from '../../shared/dom.ts';

/** What a language model is asked for, and what became of it, for a person. */
export const ROLES: Readonly<Record<LlmRole, string>> = {
  initialise: 'first configurations',
  mutate: 'mutation',
  cross: 'crossover',
  propose: 'formulas',
};

export function nameOfLlm({ provider, llm, endpoint }: LlmSettings): string {
  switch (provider) {
    case 'none':
      return 'none';
    case 'openai':
      return `${llm} at ${endpoint === '' ? 'OpenAI' : endpoint}`;
    case 'vscode':
      return `${llm === '' ? 'any' : llm} of the editor`;
    case 'replay':
      return 'replies of a recorded run';
  }
}

/** `12k of 400k (3 %)`. */
export function against(value: number, cap: number, format: (value: number) => string): string {
  return cap > 0
    ? `${format(value)} of at most ${format(cap)} (${formatShare(value / cap)})`
    : `${format(value)}, no cap`;
}

export function money(value: number): string {
  return value >= 1 ? value.toFixed(2) : String(Number(value.toPrecision(2)));
}

export type Reason = readonly [text: string, configurations: number];

/** The same reason is said once, with how many configurations it made; the most frequent ones. */
export function reasonsOf(fallbacks: readonly FallbackEvent[]): Reason[] {
  const counts = new Map<string, number>();
  for (const { role, reason, count } of fallbacks) {
    const text = `${ROLES[role]}: ${reason}`;
    counts.set(text, (counts.get(text) ?? 0) + count);
  }
  return [...counts].sort((a, b) => b[1] - a[1]).slice(0, 5);
}

/** What became of lists or formulas, as lengths. */
export function bar(parts: readonly (readonly [string, number])[]): HTMLElement {
  const total = parts.reduce((sum, [, count]) => sum + count, 0);
  return h(
    'div',
    { class: 'bar', 'aria-hidden': 'true', hidden: total === 0 },
    ...parts.map(([name, count]) => {
      const text = count / Math.max(1, total) > name.length / 40 ? name : '';
      const part = h('div', { class: name, title: `${count} ${name}` }, text);
      part.style.flexGrow = String(count);
      return part;
    }),
  );
}
