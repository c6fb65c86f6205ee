import type { PerplexityAxis } from '../../../src/view/panelMessages.ts';
import { h } from '../../shared/dom.ts';
import { contestScaleOf, scaleOf, wholeScaleOf } from './lines.ts';
import type { Line } from './lines.ts';
import type { Looking, PageHost } from './page.ts';
import type { PerplexityScale } from './perplexityScale.ts';

const AXES: Readonly<Record<PerplexityAxis, string>> = {
  close: 'what differs',
  dense: 'down to dense',
  all: 'all, logarithmic',
};

/** How much of the perplexities a chart shows. Chosen in one chart it is chosen for all, and remembered. */
export class AxisChoice {
  readonly element: HTMLSelectElement;
  private readonly looking: Looking;

  constructor(looking: Looking, host: Pick<PageHost, 'changed'>) {
    this.looking = looking;
    this.element = h(
      'select',
      { 'aria-label': 'Axis of perplexities', title: 'How much of the perplexities the axis shows' },
      ...Object.entries(AXES).map(([value, text]) => h('option', { value }, text)),
    );
    this.element.addEventListener('change', () => {
      looking.axis = this.element.value as PerplexityAxis;
      host.changed();
    });
  }

  get value(): PerplexityAxis {
    return this.looking.axis;
  }

  /** @param close what is shown of these lines where differences are to be seen */
  scaleOf(
    lines: readonly Line[],
    close: (lines: readonly Line[]) => PerplexityScale = contestScaleOf,
  ): PerplexityScale {
    this.element.value = this.value;
    switch (this.value) {
      case 'close':
        return close(lines);
      case 'dense':
        return scaleOf(lines);
      case 'all':
        return wholeScaleOf(lines);
    }
  }
}
