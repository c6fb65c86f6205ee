import { formatCount, formatShare } from '../../../src/experiment/format.ts';
import { askedRoles } from '../../../src/search/asking.ts';
import type { SelfPrunerPlan } from '../../../src/search/rates/selfPruner/plan.ts';
import { improvementsByLlm } from '../../../src/search/rates/state.ts';
import type { RateState } from '../../../src/search/rates/state.ts';
import type { LlmCall } from '../../../src/search/llm/calls.ts';
import { fill, h } from '../../shared/dom.ts';
import { plural } from '../common/words.ts';
import { against, bar, money, nameOfLlm, reasonsOf } from '../common/llmWords.ts';
import type { Reason } from '../common/llmWords.ts';

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
    if (askedRoles(plan).length === 0) {
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
      ['model', nameOfLlm(llm)],
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

/** The same is asked again only where a reply held too little of use. */
function malformedWords(calls: readonly LlmCall[]): string {
  const count = calls.filter(({ attempt }) => attempt > 0).length;
  if (count === 0) return 'none';
  return `${count === 1 ? '1 reply' : `${count} replies`} with too few lists of use, asked again with the reason`;
}
