import { fitnessName } from '../common/fitnessWords.ts';
import { denseFitness, fitnessIn, objectiveOf } from '../../../src/search/lifecycle/objective.ts';
import { accuracyText } from '../../../src/search/lifecycle/fitnessText.ts';
import type { MetricCandidate } from '../../../src/search/metrics/events.ts';
import { fill, h } from '../../shared/dom.ts';
import { fitnessOf } from '../../../src/search/lifecycle/outcome.ts';
import { formulaOf } from './formulas.ts';
import { metricTree } from './metricTree.ts';
import { bestCandidate } from '../common/panelData.ts';
import type { PanelData } from '../common/panelData.ts';
import { against, difference, OPERATORS, outcomeInFull, fitnessInShort } from '../common/words.ts';

export interface MetricCardEvents {
  readonly onSelect: (id: number | undefined) => void;
  readonly onInsert: (id: number) => void;
  readonly onEvaluate: (id: number) => void;
  readonly onTree: (id: number) => void;
  readonly onExport: (id: number) => void;
}

/** The best metric, or the candidate that is selected: formula, tree, where it comes from, and what can be done with it. */
export class MetricCard {
  readonly element: HTMLElement;
  private readonly events: MetricCardEvents;
  private readonly body = h('div', { class: 'metric' });
  private shown = '';

  constructor(events: MetricCardEvents) {
    this.events = events;
    this.element = h('section', { class: 'card', 'aria-label': 'Metric' }, this.body);
  }

  render(data: PanelData, selected: number | undefined): void {
    const best = bestCandidate(data);
    const candidate = data.search.byId.get(selected ?? -1) ?? best;
    // Buttons keep the keyboard's focus as long as they stand for the same.
    const key = JSON.stringify([
      data.run?.folder,
      candidate?.id,
      best?.id,
      candidate && data.inserted[candidate.id],
      data.search.finalists.length,
    ]);
    if (key === this.shown) return;
    this.shown = key;
    if (!candidate) {
      fill(
        this.body,
        h('h2', {}, 'Best metric'),
        h('p', { class: 'muted' }, 'None yet: it appears once a metric was evaluated on the whole text.'),
      );
      return;
    }
    this.show(data, candidate, best);
  }

  private show(data: PanelData, candidate: MetricCandidate, best: MetricCandidate | undefined): void {
    const { id } = candidate;
    const isBest = id === best?.id;
    const name = data.inserted[id];
    const focused = document.activeElement?.closest('.metric')
      ? document.activeElement.getAttribute('data-action')
      : null;
    const action = (label: string, title: string, run: (id: number) => void, primary = false): HTMLElement =>
      h(
        'button',
        {
          type: 'button',
          class: primary ? 'primary' : undefined,
          title,
          'data-action': label,
          onclick: () => {
            run(id);
          },
        },
        label,
      );
    const file = candidate.outcome.kind === 'invalid' ? undefined : data.run?.document;
    fill(
      this.body,
      h(
        'div',
        { class: 'title' },
        h('h2', {}, isBest ? 'Best metric' : `Candidate #${id}`),
        isBest
          ? undefined
          : h(
              'button',
              {
                type: 'button',
                class: 'link',
                'data-action': 'best',
                onclick: () => {
                  this.events.onSelect(undefined);
                },
              },
              'Show the best',
            ),
      ),
      h('p', { class: 'formula large' }, formulaOf(candidate)),
      h('p', {}, ...numbers(data, candidate)),
      h('div', { class: 'treeRoom' }, metricTree(candidate.expression)),
      h(
        'p',
        { class: 'muted' },
        `#${id} · size ${candidate.size}, depth ${candidate.depth} · generation ${candidate.generation + 1} · ${OPERATORS[candidate.operator]}`,
        ...this.parents(data, candidate),
      ),
      h('p', { class: 'muted' }, outcomeInFull(candidate.outcome, data.search.opening?.blocks ?? 0, data.search.byId)),
      name === undefined ? undefined : h('p', {}, 'In the file as ', h('code', {}, name), '.'),
      h(
        'div',
        { class: 'actions' },
        file !== undefined
          ? action(
              name === undefined ? 'Insert' : 'Show in file',
              `Write it into ${file} as a metric`,
              this.events.onInsert,
              true,
            )
          : undefined,
        file !== undefined
          ? action(
              'Evaluate',
              'Write it into the file and evaluate it there, calibrated as the file says',
              this.events.onEvaluate,
            )
          : undefined,
        file !== undefined
          ? action('Tree', 'Write it into the file and open its tree beside the editor', this.events.onTree)
          : undefined,
        candidate.outcome.kind === 'invalid'
          ? undefined
          : action('Export…', 'Save the model that it prunes', this.events.onExport),
      ),
    );
    if (focused !== null) this.body.querySelector<HTMLElement>(`[data-action="${focused}"]`)?.focus();
  }

  private parents({ search }: PanelData, { parents }: MetricCandidate): (Node | string)[] {
    return parents.flatMap((parent, i) => [
      i === 0 ? ' of ' : ' and ',
      h(
        'button',
        {
          type: 'button',
          class: 'link',
          title: titleOf(search.byId.get(parent)),
          onclick: () => {
            this.events.onSelect(parent);
          },
        },
        `#${parent}`,
      ),
    ]);
  }
}

function titleOf(candidate: MetricCandidate | undefined): string | undefined {
  return candidate && formulaOf(candidate);
}

function numbers({ search }: PanelData, candidate: MetricCandidate): (Node | string)[] {
  const fitness = fitnessOf(candidate);
  if (fitness === undefined) return [`No ${fitnessName(search.opening)}.`];
  const finalist = search.finalists.find(({ id }) => id === candidate.id);
  const wanda = search.baselines.find(({ name }) => /wanda/i.test(name));
  const { opening } = search;
  const dense = denseFitness(opening);
  const compared = wanda && fitnessIn(wanda);
  return [
    `${fitnessName(opening)} `,
    h('strong', {}, fitnessInShort(candidate, search.byId)),
    ...(candidate.outcome.kind === 'invalid' || candidate.outcome.accuracy === undefined
      ? []
      : [` (${accuracyText(candidate.outcome.accuracy)})`]),
    ...(dense === undefined ? [] : [` · ${difference(fitness, 'dense', dense)}`]),
    ...(compared === undefined ? [] : [` · ${difference(fitness, wanda!.name, compared)}`]),
    ...(finalist?.test
      ? [
          ` · on unseen text${objectiveOf(opening) === 'perplexity' ? '' : ' perplexity'} ${against(finalist.test.perplexity, 'dense', finalist.test.densePerplexity)}`,
        ]
      : []),
  ];
}
