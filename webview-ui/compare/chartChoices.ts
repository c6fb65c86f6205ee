import type { ComparisonChart } from '../../src/view/comparisonMessages.ts';
import { h } from '../shared/dom.ts';

/** What the chart is drawn along, what its height is, how much of it is seen, and whether seeds stand together. */
export class ChartChoices {
  readonly element: HTMLElement;
  private readonly along: HTMLSelectElement;
  private readonly measure: HTMLSelectElement;
  private readonly whole: HTMLSelectElement;
  private readonly grouped: HTMLInputElement;
  private readonly seeds: HTMLElement;

  constructor(onChoose: (chart: ComparisonChart) => void) {
    const choose = (): void => {
      onChoose({
        along: this.along.value as ComparisonChart['along'],
        measure: this.measure.value as ComparisonChart['measure'],
        whole: this.whole.value === 'whole',
        grouped: this.grouped.checked,
      });
    };
    const select = (label: string, options: Readonly<Record<string, string>>): HTMLSelectElement =>
      h(
        'select',
        { 'aria-label': label, title: label, onchange: choose },
        ...Object.entries(options).map(([value, text]) => h('option', { value }, text)),
      );
    this.along = select('What the chart is drawn along', {
      evaluations: 'by evaluations',
      seconds: 'by time',
      steps: 'by generation or step',
    });
    this.measure = select('What the height is', {
      fitness: 'fitness',
      dense: 'ratio to dense',
      baseline: 'ratio to the best baseline',
    });
    this.whole = select('How much of the height is seen', { close: 'what differs', whole: 'all, logarithmic' });
    this.grouped = h('input', { type: 'checkbox', onchange: choose });
    this.seeds = h('label', {}, this.grouped, ' seeds together');
    this.element = h('div', { class: 'choices' }, this.along, this.measure, this.whole, this.seeds);
  }

  /** @param hasSeeds whether any runs differ in their seed alone */
  show({ along, measure, whole, grouped }: ComparisonChart, hasSeeds: boolean): void {
    this.along.value = along;
    this.measure.value = measure;
    this.whole.value = whole ? 'whole' : 'close';
    this.grouped.checked = grouped;
    this.seeds.hidden = !hasSeeds;
  }
}
