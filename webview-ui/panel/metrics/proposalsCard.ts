import { formatCount, formatShare } from '../../../src/experiment/format.ts';
import { isProposing } from '../../../src/search/metrics/plan.ts';
import type { ProposingPlan } from '../../../src/search/metrics/plan.ts';
import { NO_PROPOSAL_COUNTS } from '../../../src/search/metrics/proposals/account.ts';
import { operatorShares } from '../../../src/search/metrics/operatorShares.ts';
import type { OperatorShare } from '../../../src/search/metrics/operatorShares.ts';
import type { MetricState } from '../../../src/search/metrics/state.ts';
import { fill, h } from '../../shared/dom.ts';
import { against, bar, money, nameOfLlm, reasonsOf } from '../common/llmWords.ts';
import type { PanelData } from '../common/panelData.ts';
import { OPERATORS, fitnessInShort, outcomeInShort, plural } from '../common/words.ts';
import { formulaOf } from './formulas.ts';

/** Proposals in the list, the last ones first; all of them are in the replies. */
const MOST = 100;
const PROPOSALS = 'Proposals, the last ones first';

/** What the language model has proposed, what became of it, and what each operator has contributed beside it. */
export class ProposalsCard {
  readonly element: HTMLElement;
  private readonly body = h('div', {});
  private readonly onSelect: (id: number) => void;
  private shown = -1;
  private told = '';
  /** What is being read stays open while events come. */
  private readonly open = new Set<string>([PROPOSALS]);

  constructor(onSelect: (id: number) => void) {
    this.onSelect = onSelect;
    this.element = h(
      'section',
      { class: 'card wide proposals', 'aria-label': 'Proposals of the language model', hidden: true },
      h('h2', {}, 'Proposals of the language model'),
      this.body,
    );
  }

  render({ search, run }: PanelData): void {
    const plan = run && isProposing(run.plan) ? run.plan : undefined;
    this.element.hidden = plan === undefined;
    if (plan === undefined || search.revision === this.shown) return;
    this.shown = search.revision;
    const facts = factsOf(search, plan);
    const shares = operatorShares(search);
    // What is being read or clicked is not taken away by events that say nothing new here.
    const told = JSON.stringify([run?.folder, facts, shares, search.fallbacks.length]);
    if (told === this.told) return;
    this.told = told;
    if (plan.llm.provider === 'none') {
      fill(this.body, h('p', {}, 'None: nobody is set up to propose, and variation makes all metrics.'));
      return;
    }
    const { formulasUsed, formulasRejected } = search.counts.llm ?? NO_PROPOSAL_COUNTS;
    const reasons = reasonsOf(search.fallbacks);
    fill(
      this.body,
      bar([
        ['used', formulasUsed],
        ['rejected', formulasRejected],
      ]),
      h(
        'div',
        { class: 'halves' },
        h('dl', {}, ...facts.flatMap(([name, text]) => [h('dt', {}, name), h('dd', {}, text)])),
        shares.length === 0 ? undefined : h('div', { class: 'scroll' }, sharesTable(shares)),
      ),
      this.details(PROPOSALS, proposalLines(search, this.onSelect)),
      this.details(
        'Why variation stood in',
        reasons.map(([text, count]) => h('li', {}, `${text} (${plural(count, 'metric')})`)),
      ),
    );
  }

  private details(title: string, lines: readonly HTMLElement[]): HTMLElement | undefined {
    if (lines.length === 0) return undefined;
    const details = h('details', { open: this.open.has(title) }, h('summary', {}, title), h('ul', {}, ...lines));
    details.addEventListener('toggle', () => {
      if (details.open) this.open.add(title);
      else this.open.delete(title);
    });
    return details;
  }
}

function factsOf(search: MetricState, { llm, search: { proposals } }: ProposingPlan): (readonly [string, string])[] {
  const counts = search.counts.llm ?? NO_PROPOSAL_COUNTS;
  const all = search.improvements.length;
  const made = search.improvements.filter(({ operator }) => operator === 'proposed').length;
  const tokens = counts.promptTokens + counts.replyTokens;
  return [
    ['model', `${nameOfLlm(llm)}, for ${formatShare(proposals)} of each generation`],
    ['improvements', all === 0 ? 'none yet' : `${made} of ${all} by the language model (${formatShare(made / all)})`],
    ['formulas', `${counts.formulasUsed} taken up, ${counts.formulasRejected} rejected before any evaluation`],
    ['requests', `${counts.calls} answered, ${counts.failedCalls} failed`],
    ['fallbacks', counts.fallbacks === 0 ? 'none' : `${plural(counts.fallbacks, 'metric')} by variation instead`],
    ['tokens', against(tokens, llm.tokenCap, formatCount)],
    ...(llm.promptPrice + llm.replyPrice > 0 ? [['cost', against(counts.cost, llm.costCap, money)] as const] : []),
  ];
}

/** What each operator has contributed: how often it made the best of all, or something better than its parents. */
function sharesTable(shares: readonly OperatorShare[]): HTMLElement {
  const most = Math.max(1, ...shares.map(({ improvements }) => improvements));
  const titles = ['made by', 'new best', '', 'beat its parents', 'in full', 'candidates'];
  return h(
    'table',
    { class: 'shares' },
    h(
      'thead',
      {},
      h(
        'tr',
        {},
        ...titles.map((title, i) =>
          h('th', { scope: 'col', class: i === 0 || title === '' ? undefined : 'number' }, title),
        ),
      ),
    ),
    h(
      'tbody',
      {},
      ...shares.map(({ operator, improvements, betterThanParents, full, candidates }) => {
        const length = h('div', { class: operator === 'proposed' ? 'length own' : 'length' });
        length.style.width = `${(100 * improvements) / most}%`;
        return h(
          'tr',
          {},
          h('th', { scope: 'row' }, operator === 'proposed' ? 'language model' : OPERATORS[operator]),
          number(improvements),
          h('td', { class: 'lengths', 'aria-hidden': 'true' }, length),
          number(betterThanParents ?? '–'),
          number(full),
          number(candidates),
        );
      }),
    ),
  );
}

function number(value: number | string): HTMLElement {
  return h('td', { class: 'number' }, String(value));
}

/** Each proposal with what became of it, the last ones first. */
function proposalLines(search: MetricState, onSelect: (id: number) => void): readonly HTMLElement[] {
  const taken = new Map<number, HTMLElement[]>();
  for (const candidate of search.candidates) {
    const { id, call, outcome } = candidate;
    if (call === undefined) continue;
    const select = (): void => {
      onSelect(id);
    };
    const fitness = fitnessInShort(candidate, search.byId);
    const became = [fitness, outcomeInShort(outcome)].filter((text) => text !== '').join(', ');
    const link = h('button', { type: 'button', class: 'link', onclick: select }, `#${id}`);
    const line = h('li', {}, link, ' ', h('code', {}, formulaOf(candidate)), ` ${became}`);
    taken.set(call, [...(taken.get(call) ?? []), line]);
  }
  const lines = search.proposed.flatMap(({ call, rejected }) => [
    ...(taken.get(call) ?? []),
    ...rejected.map(({ text, reason }) => h('li', { class: 'muted' }, 'rejected ', h('code', {}, text), ` ${reason}`)),
  ]);
  return lines.slice(-MOST).reverse();
}
