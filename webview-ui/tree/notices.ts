import type { ShownMetric, StatisticsState } from '../../src/view/treeMessages.ts';
import { fill, h } from '../shared/dom.ts';

export interface NoticeListeners {
  readonly onInspect: () => void;
  readonly onStop: () => void;
  readonly onTrust: () => void;
  readonly onLog: () => void;
}

/** What has to be said beside the tree: that it is old, how the canonical form comes about, what the statistics wait for. */
export class Notices {
  readonly element = h('div', { class: 'notices' });
  private readonly listeners: NoticeListeners;
  private readonly condition = h('div', { role: 'status' });
  private readonly steps = h('div', {});
  private readonly statistics = h('div', { role: 'status' });

  constructor(listeners: NoticeListeners) {
    this.listeners = listeners;
    this.element.append(this.condition, this.steps, this.statistics);
  }

  show(metric: ShownMetric | undefined, statistics: StatisticsState): void {
    fill(this.condition, ...conditionOf(metric));
    fill(this.steps, metric?.form === 'canonical' && metric.tree ? stepsOf(metric) : undefined);
    fill(this.statistics, metric?.tree ? this.about(statistics) : undefined);
  }

  private about(statistics: StatisticsState): HTMLElement | undefined {
    const { onInspect, onStop, onTrust, onLog } = this.listeners;
    switch (statistics.kind) {
      case 'off': {
        const { hint, action } = statistics;
        if (hint === '') return undefined;
        const act = action === 'trust' ? button('Manage Trust', onTrust) : undefined;
        return h('p', { class: 'notice' }, h('span', { class: 'muted' }, hint), act);
      }
      case 'running':
        return h('p', { class: 'notice working' }, h('span', {}, statistics.text), button('Cancel', onStop));
      case 'failed': {
        const { operation, expected, actual, remedy } = statistics.error;
        return h(
          'p',
          { class: 'notice failed' },
          h('span', {}, `✗ ${operation}: expected ${expected}, got ${actual}. ${remedy}`),
          button('Try Again', onInspect),
          button('Show Log', onLog),
        );
      }
      case 'shown':
        return undefined;
    }
  }
}

function conditionOf(metric: ShownMetric | undefined): HTMLElement[] {
  if (!metric) return [];
  const { condition, target } = metric;
  if (condition === 'stale') {
    return [h('p', { class: 'notice stale' }, 'The text has a mistake now: this is the last tree without one.')];
  }
  if (condition === 'missing') {
    const name = target.kind === 'metric' ? target.name : target.title;
    return [
      h(
        'p',
        { class: 'notice' },
        `There is no tree of ${name}: it has a mistake, or is no longer there. Mend it (see Problems), or put the cursor into another metric.`,
      ),
    ];
  }
  return [];
}

function stepsOf({ steps }: ShownMetric): HTMLElement {
  if (steps.length === 0) return h('p', { class: 'notice muted' }, 'The canonical form is what is written.');
  return h(
    'div',
    { class: 'notice' },
    h('span', { class: 'muted' }, 'Ranks the same weights in the same order:'),
    h('ol', {}, ...steps.map((step) => h('li', {}, step))),
  );
}

function button(text: string, onclick: () => void): HTMLButtonElement {
  const element = h('button', { onclick });
  element.append(text);
  return element;
}
