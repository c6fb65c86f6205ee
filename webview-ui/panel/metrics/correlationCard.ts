import type { Objective } from '../../../src/search/lifecycle/objective.ts';
import { objectiveOf } from '../../../src/search/lifecycle/objective.ts';
import type { MetricCandidate } from '../../../src/search/metrics/events.ts';
import { fill, h } from '../../shared/dom.ts';
import { certainPart, correlate } from './correlations.ts';
import type { Correlation } from './correlations.ts';
import type { PanelData } from '../common/panelData.ts';
import { plural } from '../common/words.ts';

/** What candidates' losses are. */
const CORRELATED: Readonly<Record<Objective, string>> = {
  perplexity: 'the logarithm of perplexity',
  kl: 'the KL divergence from dense',
  tasks: 'the loss on the tasks',
};

/** Which operations go with a low loss: a matrix of signed numbers, over all generations and over spans of them. */
export class CorrelationCard {
  readonly element: HTMLElement;
  private readonly body = h('div', {});
  private shown = '';

  constructor() {
    this.element = h(
      'section',
      { class: 'card', 'aria-label': 'Operations and fitness' },
      h('h2', {}, 'Operations × fitness'),
      this.body,
    );
  }

  render({ search, run, complete }: PanelData): void {
    const { candidates, generations } = search;
    // Between generations there is little news, and going through thousands takes its time.
    const shown = JSON.stringify([run?.folder, generations.length, complete]);
    if (shown === this.shown || !run || !complete) return;
    this.shown = shown;
    // The pictures come first.
    requestIdleCallback(() => {
      if (this.shown === shown) this.draw(candidates, objectiveOf(search.opening));
    });
  }

  private draw(candidates: readonly MetricCandidate[], objective: Objective): void {
    const { spans, rows } = correlate(candidates);
    if (rows.every(({ overall }) => overall === undefined)) {
      fill(this.body, h('p', { class: 'muted' }, 'Too few candidates so far.'));
      return;
    }
    fill(
      this.body,
      h(
        'p',
        { class: 'muted' },
        `Correlation of how often a name occurs with ${CORRELATED[objective]}, −1 to +1. Below 0: trees with more of it do better. n: candidates that have it. Coloured by what is certain of it (95 %); grey, with a “?”, where it may as well be 0. The hover has the interval.`,
      ),
      h(
        'div',
        { class: 'scroll' },
        h(
          'table',
          { class: 'matrix' },
          h(
            'thead',
            {},
            h(
              'tr',
              {},
              h('th', { scope: 'col' }, 'name'),
              h('th', { scope: 'col', class: 'number' }, 'n'),
              h('th', { scope: 'col', class: 'number' }, 'all'),
              ...(spans.length > 1
                ? spans.map(({ first, last }) =>
                    h(
                      'th',
                      { scope: 'col', class: 'number', title: 'generations' },
                      first === last ? `gen. ${first + 1}` : `gen. ${first + 1}–${last + 1}`,
                    ),
                  )
                : []),
            ),
          ),
          h(
            'tbody',
            {},
            ...rows.map(({ name, count, overall, spans: each }) =>
              h(
                'tr',
                {},
                h('th', { scope: 'row', class: 'formula' }, name),
                h('td', { class: 'number' }, String(count)),
                cell(overall),
                ...(spans.length > 1 ? each.map(cell) : []),
              ),
            ),
          ),
        ),
      ),
    );
  }
}

function cell(correlation: Correlation | undefined): HTMLElement {
  if (!correlation) return h('td', { class: 'number muted', title: 'too few candidates' }, '· ');
  const { value, low, high, from } = correlation;
  const certain = certainPart(correlation);
  const title = `95 %: ${signed(low)} to ${signed(high)}, from ${plural(from, 'candidate')} that differ from the rest`;
  if (certain === 0) return h('td', { class: 'number muted', title }, `${signed(value)}?`);
  // As wide as with the question mark, so that the digits stand below each other.
  const element = h(
    'td',
    { class: 'number', title },
    signed(value),
    h('span', { class: 'unseen', 'aria-hidden': 'true' }, '?'),
  );
  const share = Math.round(Math.min(1, 0.2 + Math.abs(certain) * 1.4) * 55);
  const hue = certain < 0 ? 'var(--vscode-charts-blue)' : 'var(--vscode-charts-red)';
  element.style.background = `color-mix(in srgb, ${hue} ${share}%, transparent)`;
  return element;
}

function signed(value: number): string {
  const text = Math.abs(value).toFixed(2);
  return `${Number(text) === 0 ? '±' : value < 0 ? '−' : '+'}${text}`;
}
