import { formatCount, formatShare } from '../../../src/experiment/format.ts';
import type { LlmSettings } from '../../../src/search/llm/settings.ts';
import type { SelfPrunerPlan } from '../../../src/search/rates/selfPruner/plan.ts';
import type { FallbackEvent } from '../../../src/search/llm/events.ts';
import { improvementsByLlm } from '../../../src/search/rates/state.ts';
import type { RateState } from '../../../src/search/rates/state.ts';
import type { LlmCall } from '../../../src/search/llm/calls.ts';
import { fill, h } from '../../shared/dom.ts';
import { plural } from '../common/words.ts';
import { ROLES } from './rateWords.ts';

/** What the language model has contributed, what it could not, and what it cost. */
export class LlmCard {
  readonly element: HTMLElement;
  private readonly body = h('div', {});
  private shown = -1;
  private told = '';
  /** Whether the reasons are being read: they stay open while events come. */
  private isOpen = false;

  constructor() {
    this.element = h(
      'section',
      { class: 'card', 'aria-label': 'Language model' },
      h('h2', {}, 'Language model'),
      this.body,
    );
  }

  render(rates: RateState, plan: SelfPrunerPlan): void {
    if (rates.revision === this.shown) return;
    this.shown = rates.revision;
    const { llm } = plan;
    if (!usesLlm(plan)) {
      fill(
        this.body,
        h('p', {}, 'None: classical operators make all configurations.'),
        h('p', { class: 'muted' }, 'Espalier: Set Up Language Model… chooses one for the searches to come.'),
      );
      return;
    }
    const { counts } = rates;
    const made = improvementsByLlm(rates);
    const all = rates.improvements.length;
    const lists = counts.listsUsed + counts.listsRepaired + counts.listsRefused;
    const facts: (readonly [string, string])[] = [
      ['model', nameOf(llm)],
      ['improvements', all === 0 ? 'none yet' : `${made} of ${all} by the language model (${formatShare(made / all)})`],
      [
        'lists',
        `${plural(lists, 'list')}: ${counts.listsUsed} used, ${counts.listsRepaired} repaired, ${counts.listsRefused} refused`,
      ],
      ['requests', `${counts.calls} answered, ${counts.failedCalls} failed`],
      ['malformed', malformedWords(rates.calls)],
      [
        'fallbacks',
        counts.fallbacks === 0 ? 'none' : `${plural(counts.fallbacks, 'configuration')} by classical operators instead`,
      ],
      ['tokens', against(counts.promptTokens + counts.replyTokens, llm.tokenCap, formatCount)],
      ...(llm.promptPrice + llm.replyPrice > 0 ? [['cost', against(counts.cost, llm.costCap, money)] as const] : []),
    ];
    const reasons = reasonsOf(rates.fallbacks);
    // What is being read or clicked is not taken away by events that say nothing new here.
    const told = JSON.stringify([facts, reasons]);
    if (told === this.told) return;
    this.told = told;
    fill(
      this.body,
      bar([
        ['used', counts.listsUsed],
        ['repaired', counts.listsRepaired],
        ['refused', counts.listsRefused],
      ]),
      h('dl', {}, ...facts.flatMap(([name, text]) => [h('dt', {}, name), h('dd', {}, text)])),
      this.reasons(reasons),
    );
  }

  private reasons(items: readonly Reason[]): HTMLElement | undefined {
    if (items.length === 0) return undefined;
    const details = h(
      'details',
      { open: this.isOpen },
      h('summary', {}, 'Why classical operators stood in'),
      h('ul', {}, ...items.map(([text, count]) => h('li', {}, `${text} (${plural(count, 'configuration')})`))),
    );
    details.addEventListener('toggle', () => {
      this.isOpen = details.open;
    });
    return details;
  }
}

type Reason = readonly [text: string, configurations: number];

/** The same reason is said once, with how many configurations it made; the most frequent ones. */
function reasonsOf(fallbacks: readonly FallbackEvent[]): Reason[] {
  const counts = new Map<string, number>();
  for (const { role, reason, count } of fallbacks) {
    const text = `${ROLES[role]}: ${reason}`;
    counts.set(text, (counts.get(text) ?? 0) + count);
  }
  return [...counts].sort((a, b) => b[1] - a[1]).slice(0, 5);
}

/** The same is asked again only where a reply held too little of use. */
function malformedWords(calls: readonly LlmCall[]): string {
  const count = calls.filter(({ attempt }) => attempt > 0).length;
  if (count === 0) return 'none';
  return `${count === 1 ? '1 reply' : `${count} replies`} with too few lists of use, asked again with the reason`;
}

function usesLlm({ llm, search }: SelfPrunerPlan): boolean {
  return llm.provider !== 'none' && [search.initialise, search.mutate, search.cross].includes('llm');
}

function nameOf({ provider, llm, endpoint }: LlmSettings): string {
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
function against(value: number, cap: number, format: (value: number) => string): string {
  return cap > 0
    ? `${format(value)} of at most ${format(cap)} (${formatShare(value / cap)})`
    : `${format(value)}, no cap`;
}

function money(value: number): string {
  return value >= 1 ? value.toFixed(2) : String(Number(value.toPrecision(2)));
}

/** What became of the lists, as lengths. */
function bar(parts: readonly (readonly [string, number])[]): HTMLElement {
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
