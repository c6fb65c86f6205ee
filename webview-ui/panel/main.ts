import './panel.css';
import type { PlanOf, RunKind, RunPlan } from '../../src/search/kinds.ts';
import type { FromPanel, PanelMemory, ToPanel } from '../../src/view/panelMessages.ts';
import { onFigure } from '../shared/figureButton.ts';
import { connectHost } from '../shared/host.ts';
import { onThemeChange, readTheme } from '../shared/theme.ts';
import { exportPicture } from './common/exportPicture.ts';
import { Header } from './common/header.ts';
import type { HeaderAction } from './common/header.ts';
import { masksPage } from './masks/masksPage.ts';
import { metricPage } from './metrics/metricPage.ts';
import type { Looking, Page, PageHost } from './common/page.ts';
import { emptyPanel, receive } from './common/panelData.ts';
import { recoveryPage } from './recovery/recoveryPage.ts';
import { ratesPage } from './rates/ratesPage.ts';
import { StateBanner } from './common/stateBanner.ts';
import { WorkersCard } from './common/workersCard.ts';

/** Milliseconds from one drawing to the next while events keep coming. */
const PACE = 250;

const host = connectHost<FromPanel, ToPanel, PanelMemory>({
  ...{ run: true, called: true, events: true, state: true, random: true, overlay: true, curves: true },
  ...{ inserted: true, speed: true, exchange: true, queue: true },
});
const looking: Looking = { selected: undefined, axis: 'close', column: undefined, folded: false };
const pageHost = {
  post: (message: FromPanel): void => {
    host.post(message);
  },
  changed: (): void => {
    remember();
    draw();
  },
};
let data = emptyPanel();
let theme = readTheme();

const PAGES: { readonly [Kind in RunKind]: (host: PageHost, looking: Looking) => Page<PlanOf<Kind>> } = {
  metrics: metricPage,
  rates: ratesPage,
  masks: masksPage,
  recovery: recoveryPage,
};

/** Made when the plan of its run arrives. */
let page: Page<RunPlan> | undefined;

const header = new Header(act);
const banner = new StateBanner({
  log: () => {
    host.post({ kind: 'showLog' });
  },
  setting: () => {
    host.post({ kind: 'queue', wanted: 'setting' });
  },
  password: () => {
    host.post({ kind: 'queue', wanted: 'password' });
  },
});
const workers = new WorkersCard({
  onCopy: () => {
    host.post({ kind: 'queue', wanted: 'command' });
  },
  onFold: (folded) => {
    looking.folded = folded;
    pageHost.changed();
  },
});
document.body.append(header.element, banner.element, workers.element);

let lastDrawn = -Infinity;
let asked: number | undefined;
/** Where the page before this one was scrolled to, until there is as much to scroll. */
let scrolledTo: number | undefined;

host.onMessage((message) => {
  if (message.kind === 'run') {
    // A page that was hidden is a new page: it looks at what the one before looked at.
    const { remembered } = host;
    const before = remembered?.folder === message.run.folder ? remembered : undefined;
    looking.selected = before?.selected;
    looking.axis = before?.axis ?? 'close';
    looking.column = before?.column;
    looking.folded = before?.folded ?? false;
    scrolledTo = before?.scroll;
    page?.element.remove();
    page = pageFor(message.run.plan);
    document.body.append(page.element);
  }
  data = receive(data, message);
  if (message.kind === 'run') remember();
  drawSoon();
});
let noted: number | undefined;
addEventListener(
  'scroll',
  () => {
    clearTimeout(noted);
    noted = setTimeout(remember, PACE);
  },
  { passive: true },
);
onFigure((figure) => {
  host.post({ kind: 'exportFigure', figure });
});
onThemeChange((changed) => {
  theme = changed;
  draw();
});
draw();
host.post({ kind: 'ready' });

function pageFor(plan: RunPlan): Page<RunPlan> {
  // A page is only ever given data of the plan that it was made for.
  return PAGES[plan.kind](pageHost, looking);
}

function remember(): void {
  const { selected, axis, column, folded } = looking;
  const scroll = scrolledTo ?? Math.round(scrollY);
  if (!data.run) return;
  const chosen = { ...(selected !== undefined && { selected }), ...(column !== undefined && { column }) };
  host.remember({ folder: data.run.folder, scroll, axis, ...chosen, ...(folded && { folded }) });
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
  workers.render(data.queue, looking.folded);
  // While the journal is being read, pictures of a part of it would only take the time.
  if (!page || !data.complete) return;
  page.render(data, theme);
  if (scrolledTo !== undefined) scrollTo({ top: scrolledTo, behavior: 'instant' });
  scrolledTo = undefined;
  // The last one is enough: a panel may be open for days.
  performance.clearMarks('drawn');
  performance.mark('drawn');
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
      if (!data.run || !page) return;
      const title = header.element.querySelector('.about')?.textContent ?? '';
      const picture = exportPicture(title, page.pictures, theme);
      host.post({ kind: 'exportPicture', data: picture });
    }
  }
}
