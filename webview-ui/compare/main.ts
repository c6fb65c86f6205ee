import './compare.css';
import { comparisonTable, sorted } from '../../src/search/comparison/comparisonTable.ts';
import type { ComparedRun } from '../../src/search/comparison/comparedRun.ts';
import { seedGroups } from '../../src/search/comparison/seedGroups.ts';
import type { ComparisonMemory, FromComparison, ToComparison } from '../../src/view/comparisonMessages.ts';
import { fill, h, say } from '../shared/dom.ts';
import { connectHost } from '../shared/host.ts';
import { BestChart } from './bestChart.ts';
import { ChartChoices } from './chartChoices.ts';
import { chartLines } from '../../src/view/comparisonLines.ts';
import { isAskedFor, lookingAt, memoryOf } from './looking.ts';
import { Parallel } from './parallel.ts';
import { runStyle } from './runStyles.ts';
import type { RunStyle } from './runStyles.ts';
import { RunTable } from './runTable.ts';
import { isBrushed, settingAxes } from './settingAxes.ts';
import { Toolbar } from './toolbar.ts';

const host = connectHost<FromComparison, ToComparison, ComparisonMemory>({ folders: true, runs: true });
const looking = lookingAt(host.remembered);
let folders: readonly string[] = host.remembered?.folders ?? [];
const known = new Map<string, ComparedRun>();
let pointed: string | undefined;

const toolbar = new Toolbar(looking, {
  changed,
  onAdd: () => {
    host.post({ kind: 'add' });
  },
  onCopy: (format) => {
    host.post({ kind: 'copy', format, folders: seen(), ...pinnedNow() });
  },
  onFigure: (format) => {
    const { chart, hidden } = looking;
    const drawn = seen().filter((folder) => !hidden.has(folder));
    host.post({ kind: 'figure', format, folders: drawn, chart, ...pinnedNow() });
  },
});
const choices = new ChartChoices((chart) => {
  looking.chart = chart;
  changed();
});
const chart = new BestChart(point);
const table = new RunTable({
  onSort: (key) => {
    const { sort } = looking;
    looking.sort = { key, descending: sort.key === key && !sort.descending };
    changed();
  },
  onOpen: (folder) => {
    host.post({ kind: 'open', folder });
  },
  onPin: (folder) => {
    const isPinned = looking.pinned?.kind === 'run' && looking.pinned.folder === folder;
    looking.pinned = isPinned ? undefined : { kind: 'run', folder };
    changed();
  },
  onHide: (folder, isHidden) => {
    if (isHidden) looking.hidden.add(folder);
    else looking.hidden.delete(folder);
    changed();
  },
  onTags: (folder) => {
    host.post({ kind: 'tags', folder });
  },
  onRemove: (folder) => {
    host.post({ kind: 'remove', folder });
  },
  onPoint: point,
});
const parallel = new Parallel((brushes) => {
  looking.brushes = brushes;
  changed();
}, point);
const left = h('ul', { class: 'notes' });
const notes = h('ul', { class: 'notes' });
const same = h('p');
const sameRow = h('details', {}, h('summary'), same);
const brushed = h(
  'button',
  {
    onclick: () => {
      looking.brushes = [];
      changed();
    },
  },
  'Keep All',
);

document.body.append(
  toolbar.element,
  h(
    'main',
    {},
    h(
      'section',
      { class: 'card', 'aria-label': 'Best so far' },
      h('div', { class: 'title' }, h('h2', {}, 'Best so far'), choices.element),
      chart.element,
      left,
    ),
    h('section', { class: 'card', 'aria-label': 'Runs' }, table.element, notes, sameRow),
    h(
      'section',
      { class: 'card', 'aria-label': 'Settings' },
      h('div', { class: 'title' }, h('h2', {}, 'Settings, and what they come to'), brushed),
      parallel.element,
    ),
  ),
);

let asked = false;
host.onMessage((message) => {
  if (message.kind === 'folders') folders = message.folders;
  else for (const run of message.runs) known.set(run.folder, run);
  if (message.kind === 'folders') remember();
  drawSoon();
});
host.post({ kind: 'ready' });
draw();

function changed(): void {
  remember();
  drawSoon();
}

function remember(): void {
  host.remember(memoryOf(looking, folders));
}

function point(folder: string | undefined): void {
  if (pointed === folder) return;
  pointed = folder;
  drawSoon();
}

/** Runs that come one after the other are drawn together. */
function drawSoon(): void {
  if (asked) return;
  asked = true;
  requestAnimationFrame(() => {
    asked = false;
    draw();
  });
}

function runsHere(): readonly ComparedRun[] {
  return folders.flatMap((folder) => known.get(folder) ?? []);
}

function axesNow(): ReturnType<typeof settingAxes> {
  return settingAxes(runsHere(), looking.chart.measure, looking.pinned);
}

/** Folders of the rows as they stand in the table. */
function seen(): readonly string[] {
  return rowsNow().rows.map(({ run }) => run.folder);
}

function rowsNow(): ReturnType<typeof comparisonTable> {
  const axes = axesNow();
  const shown = runsHere().filter((run) => isAskedFor(run, looking) && isBrushed(run, axes, looking.brushes));
  const made = comparisonTable(shown, looking.pinned);
  return { ...made, rows: sorted(made.rows, looking.sort.key, looking.sort.descending) };
}

function pinnedNow(): Pick<ComparisonMemory, 'pinned'> {
  return looking.pinned ? { pinned: looking.pinned } : {};
}

function styleOf(folder: string): RunStyle {
  return runStyle(Math.max(0, folders.indexOf(folder)));
}

function draw(): void {
  const runs = runsHere();
  const { columns, rows, equal, seeds, notes: told } = rowsNow();
  const shown = runs.filter(
    ({ folder }) => !looking.hidden.has(folder) && rows.some(({ run }) => run.folder === folder),
  );
  toolbar.show(runs, rows.length);
  choices.show(
    looking.chart,
    seedGroups(runs).some((group) => group.runs.length > 1),
  );
  const { lines, left: out } = chartLines(shown, looking.chart, looking.pinned);
  chart.show({ lines, chart: looking.chart, styleOf, pointed });
  fill(left, ...out.map(({ why, titles }) => h('li', {}, `not drawn: ${titles.join(', ')} (${why})`)));
  const { sort, hidden, pinned } = looking;
  table.show({ columns, rows, sort, hidden, pinned, pointed, styleOf });
  // The chart says it already where it leaves them out for that.
  const isSaid = looking.chart.measure === 'fitness';
  fill(notes, ...[...seeds, ...(isSaid ? [] : told)].map((line) => h('li', {}, line)));
  sameRow.hidden = equal.length === 0;
  say(sameRow.querySelector('summary')!, `${equal.length} settings are the same for all`);
  say(same, equal.map(({ name, text }) => `${name} ${text === '' ? '–' : text}`).join(' · '));
  brushed.hidden = looking.brushes.length === 0;
  parallel.show({
    axes: axesNow(),
    runs: runs.filter(({ folder }) => !hidden.has(folder)),
    ...{ brushes: looking.brushes, pointed, styleOf },
  });
  // The last one is enough: a page may be open for days.
  if (runs.length < folders.length) return;
  performance.clearMarks('drawn');
  performance.mark('drawn');
}
