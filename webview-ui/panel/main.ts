import './panel.css';
import type { FromPanel, PanelMemory, ToPanel } from '../../src/extension/search/panelMessages.ts';
import { h } from '../shared/dom.ts';
import { connectHost } from '../shared/host.ts';
import { onThemeChange, readTheme } from '../shared/theme.ts';
import { CandidateChart } from './candidateChart.ts';
import { CandidateTable } from './candidateTable.ts';
import { CorrelationCard } from './correlationCard.ts';
import { CountsCard } from './countsCard.ts';
import { CurvesCard } from './curvesCard.ts';
import { exportPicture } from './exportPicture.ts';
import { FinalistsCard } from './finalistsCard.ts';
import { GenerationChart } from './generationChart.ts';
import { Header } from './header.ts';
import type { HeaderAction } from './header.ts';
import { MetricCard } from './metricCard.ts';
import { emptyPanel, receive } from './panelData.ts';
import { RandomButton } from './randomButton.ts';
import { StateBanner } from './stateBanner.ts';

/** Milliseconds from one drawing to the next while events keep coming. */
const PACE = 250;

const host = connectHost<FromPanel, ToPanel, PanelMemory>();
let data = emptyPanel();
let theme = readTheme();
let selected: number | undefined;

const select = (id: number | undefined): void => {
  selected = id;
  remember();
  draw();
};
const insert = (id: number): void => {
  host.post({ kind: 'insert', id });
};
const header = new Header(act);
const banner = new StateBanner(() => {
  host.post({ kind: 'showLog' });
});
const random = new RandomButton(() => {
  host.post({ kind: 'random' });
});
const generationChart = new GenerationChart(random.element);
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
});
const table = new CandidateTable({ onSelect: select, onInsert: insert });
const finalists = new FinalistsCard(select);
const correlation = new CorrelationCard();
const counts = new CountsCard();
const curves = new CurvesCard({
  onAsk: (over, metrics) => {
    host.post({ kind: 'curves', over, metrics });
  },
  onCancel: () => {
    host.post({ kind: 'cancelCurves' });
  },
});

document.body.append(
  header.element,
  banner.element,
  h(
    'main',
    {},
    h('div', { class: 'stack two' }, generationChart.element, candidateChart.element),
    h('div', { class: 'stack' }, metricCard.element, counts.element),
    finalists.element,
    table.element,
    h('div', { class: 'halves wide' }, correlation.element, curves.element),
  ),
);

let lastDrawn = -Infinity;
let asked: number | undefined;

host.onMessage((message) => {
  if (message.kind === 'run') {
    // A page that was hidden is a new page: it looks at what the one before looked at.
    const { remembered } = host;
    selected = remembered?.folder === message.run.folder ? remembered.selected : undefined;
  }
  data = receive(data, message);
  if (message.kind === 'run') remember();
  drawSoon();
});
onThemeChange((changed) => {
  theme = changed;
  draw();
});
draw();
host.post({ kind: 'ready' });

function remember(): void {
  if (data.run) host.remember({ folder: data.run.folder, ...(selected !== undefined && { selected }) });
}

/** Many events are drawn once. */
function drawSoon(): void {
  if (asked !== undefined) return;
  const wait = Math.max(0, lastDrawn + PACE - performance.now());
  asked = setTimeout(() => {
    asked = undefined;
    draw();
  }, wait);
}

function draw(): void {
  lastDrawn = performance.now();
  header.render(data);
  banner.render(data);
  // While the journal is being read, pictures of a part of it would only take the time.
  if (data.run && !data.complete) return;
  random.render(data);
  generationChart.render(data, theme);
  candidateChart.render(data, theme, selected);
  metricCard.render(data, selected);
  finalists.render(data);
  table.render(data, selected);
  correlation.render(data);
  counts.render(data);
  curves.render(data, theme, selected);
  if (data.complete) performance.mark('drawn');
}

function act(action: HeaderAction): void {
  switch (action) {
    case 'pause':
    case 'resume':
    case 'stop':
      host.post({ kind: action });
      break;
    case 'csv':
    case 'json':
      host.post({ kind: 'exportTable', format: action });
      break;
    case 'png': {
      if (!data.run) return;
      const title = header.element.querySelector('.about')?.textContent ?? '';
      const picture = exportPicture(title, [generationChart.picture, candidateChart.picture], theme);
      host.post({ kind: 'exportPicture', name: `${data.run.plan.name}.png`, data: picture });
    }
  }
}
