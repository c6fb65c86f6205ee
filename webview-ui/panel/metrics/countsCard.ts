import { fill, h } from '../../shared/dom.ts';
import type { PanelData } from '../common/panelData.ts';
import { objectiveOf } from '../../../src/search/lifecycle/objective.ts';
import { figuresOf } from '../../../src/search/metrics/figures.ts';
import { plural } from '../common/words.ts';

/** What the search has done, and what it did not have to do. */
export class CountsCard {
  readonly element: HTMLElement;
  private readonly body = h('div', {});

  constructor() {
    this.element = h('section', { class: 'card', 'aria-label': 'Work done' }, h('h2', {}, 'Work done'), this.body);
  }

  render(data: PanelData): void {
    const { counts, quarantined, opening } = data.search;
    const whole = objectiveOf(opening) === 'tasks' ? 'all documents' : 'the whole text';
    const { candidates, invalid, duplicates, stoppedEarly, fullEvaluations, evaluations } = counts;
    if (candidates === 0 || !data.run) {
      fill(this.body, h('p', { class: 'muted' }, 'No candidate yet.'));
      return;
    }
    const ranked = candidates - invalid;
    const saved = Math.max(0, ranked - evaluations);
    const { candidatesPerMinute: rate } = figuresOf(data.search, data.run.plan.search);
    const parts = [
      ['invalid', invalid],
      ['same ranking', duplicates],
      ['stopped early', stoppedEarly],
      ['in full', fullEvaluations],
    ] as const;
    const facts: (readonly [string, string])[] = [
      ['work', `${round(evaluations)} evaluations of ${whole}`],
      [
        'saved',
        `${round(saved)} of ${ranked} evaluations (${ranked === 0 ? 0 : Math.round((100 * saved) / ranked)} %), against evaluating every valid candidate in full`,
      ],
      ...(rate === undefined
        ? []
        : [['pace', `${rate >= 10 ? Math.round(rate) : rate.toFixed(1)} candidates a minute`] as const]),
      ...(quarantined.length === 0
        ? []
        : [['quarantined', `${plural(quarantined.length, 'candidate')} that ended two worker processes`] as const]),
    ];
    fill(
      this.body,
      h('p', {}, `${plural(candidates, 'candidate')}: ${parts.map(([name, count]) => `${count} ${name}`).join(', ')}`),
      bar(parts, candidates),
      h('dl', {}, ...facts.flatMap(([name, text]) => [h('dt', {}, name), h('dd', {}, text)])),
    );
  }
}

/** The sentence above as lengths. */
function bar(parts: readonly (readonly [string, number])[], total: number): HTMLElement {
  return h(
    'div',
    { class: 'bar', 'aria-hidden': 'true' },
    ...parts.map(([name, count]) => {
      const part = h(
        'div',
        { class: name.replaceAll(' ', '-'), title: `${count} ${name}` },
        count / total > name.length / 40 ? name : '',
      );
      part.style.flexGrow = String(count);
      return part;
    }),
  );
}

function round(value: number): string {
  return String(value >= 100 ? Math.round(value) : Number(value.toFixed(1)));
}
