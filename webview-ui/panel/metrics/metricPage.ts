import type { MetricSearchPlan } from '../../../src/search/metrics/plan.ts';
import { h } from '../../shared/dom.ts';
import type { Theme } from '../../shared/theme.ts';
import { AxisChoice } from '../common/axisChoice.ts';
import { CandidateChart } from './candidateChart.ts';
import { CandidateTable } from './candidateTable.ts';
import { CorrelationCard } from './correlationCard.ts';
import { CountsCard } from './countsCard.ts';
import { CurvesCard } from './curvesCard.ts';
import { ProposalsCard } from './proposalsCard.ts';
import { ExchangesCard } from '../common/exchangesCard.ts';
import { FinalistsCard } from './finalistsCard.ts';
import { GenerationChart } from './generationChart.ts';
import { MetricCard } from './metricCard.ts';
import type { Looking, Page, PageHost } from '../common/page.ts';
import type { PanelData } from '../common/panelData.ts';
import { RandomButton } from './randomButton.ts';

/** A search for metrics. */
export function metricPage(host: PageHost, looking: Looking): Page<MetricSearchPlan> {
  const select = (id: number | undefined): void => {
    looking.selected = id;
    host.changed();
  };
  const insert = (id: number): void => {
    host.post({ kind: 'insert', id });
  };
  const random = new RandomButton(() => {
    host.post({ kind: 'random' });
  });
  const generationChart = new GenerationChart(new AxisChoice(looking, host), random.element);
  const candidateChart = new CandidateChart({ onSelect: select, onInsert: insert });
  const metricCard = new MetricCard({
    onSelect: select,
    onInsert: insert,
    onEvaluate: (id) => {
      host.post({ kind: 'evaluate', id });
    },
    onTree: (id) => {
      host.post({ kind: 'tree', id });
    },
    onExport: (id) => {
      host.post({ kind: 'exportModel', of: { kind: 'candidate', id } });
    },
  });
  const table = new CandidateTable({
    onSelect: select,
    onInsert: insert,
    onWiden: (width) => {
      looking.column = width;
      host.changed();
    },
  });
  const finalists = new FinalistsCard(select);
  const correlation = new CorrelationCard();
  const counts = new CountsCard();
  const proposals = new ProposalsCard(select);
  const exchanges = new ExchangesCard((call) => {
    host.post({ kind: 'exchange', call });
  });
  const curves = new CurvesCard({
    onAsk: (over, metrics) => {
      host.post({ kind: 'curves', over, metrics });
    },
    onCancel: () => {
      host.post({ kind: 'cancelCurves' });
    },
  });
  return {
    element: h(
      'main',
      {},
      h('div', { class: 'stack two' }, generationChart.element, candidateChart.element),
      h('div', { class: 'stack' }, metricCard.element, counts.element),
      finalists.element,
      proposals.element,
      table.element,
      h('div', { class: 'halves wide' }, correlation.element, curves.element),
      exchanges.element,
    ),
    pictures: [
      { title: 'Best by generation', canvas: generationChart.picture },
      { title: 'Every candidate', canvas: candidateChart.picture },
    ],
    render: (data: PanelData, theme: Theme) => {
      const { selected } = looking;
      random.render(data);
      generationChart.render(data, theme);
      candidateChart.render(data, theme, selected);
      metricCard.render(data, selected);
      finalists.render(data);
      proposals.render(data);
      exchanges.render(data.search, data.exchange);
      table.render(data, selected, looking.column);
      correlation.render(data);
      counts.render(data);
      curves.render(data, theme, selected);
    },
  };
}
