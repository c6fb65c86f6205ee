import { comparedRun } from '../../src/search/comparison/comparedRun.ts';
import type { ComparedRun } from '../../src/search/comparison/comparedRun.ts';
import { CurveFold } from '../../src/search/comparison/curveFold.ts';
import type { ComparisonMemory, FromComparison, ToComparison } from '../../src/view/comparisonMessages.ts';
import { differentRuns } from '../../test/support/differentRuns.ts';
import { applyTheme } from './themes.ts';
import type { ThemeName } from './themes.ts';

/**
 * Stands in for the extension behind the comparison of runs in a plain browser page: `#runs=10&theme=light&candidates=400`; `measure`, `along`,
 * `grouped=1`, `whole=1`, `pin=0` (the first run) or `pin=wanda`, and `tag`, `text`, `brush=1` are what the page remembers.
 */
const query = new URLSearchParams(location.hash.slice(1));
const count = Number(query.get('runs') ?? 10);

applyTheme((query.get('theme') ?? 'dark') as ThemeName);

const STATES = ['finished', 'finished', 'finished', 'running', 'paused', 'finished', 'finished', 'failed'];
const TAGS = [
  ['ablation', 'paper'],
  ['ablation', 'paper'],
  ['baseline'],
  [],
  ['llm'],
  ['llm', 'paper'],
  [],
  [],
  [],
  ['recovered'],
];

const runs: Promise<readonly ComparedRun[]> = differentRuns(Number(query.get('candidates') ?? 400)).then((all) =>
  all.slice(0, count).map(({ plan, events }, i) => {
    const fold = new CurveFold(plan);
    for (const { event, at } of events) fold.fold(event, at);
    const labels = {
      folder: folderOf(i),
      id: `20261122-1015${String(i).padStart(2, '0')}-${plan.name}`,
      title: i < 5 ? `${plan.name} (${i + 1})` : i === 7 ? 'attention and MLP layers that go as a whole' : plan.name,
      tags: TAGS[i] ?? [],
      ...(i === 2 && { note: 'the same budget, nothing learnt' }),
      state: STATES[i] ?? 'finished',
      createdAt: Date.UTC(2026, 10, 22, 10, i),
    };
    return comparedRun(labels, fold);
  }),
);

const pin = query.get('pin');
const memory: ComparisonMemory = {
  folders: Array.from({ length: count }, (_, i) => folderOf(i)),
  chart: {
    along: (query.get('along') ?? 'evaluations') as ComparisonMemory['chart']['along'],
    measure: (query.get('measure') ?? 'fitness') as ComparisonMemory['chart']['measure'],
    whole: query.get('whole') === '1',
    grouped: query.get('grouped') === '1',
  },
  ...(pin !== null && {
    pinned: /^\d+$/.test(pin) ? { kind: 'run', folder: folderOf(Number(pin)) } : { kind: 'baseline', name: pin },
  }),
  ...{ text: query.get('text') ?? '', tag: query.get('tag') ?? '' },
  ...(query.get('brush') === '1' && { brushes: [['method', 0.45, 0.85]] }),
};

(globalThis as unknown as Record<string, unknown>)['acquireVsCodeApi'] = () => ({
  postMessage: (message: FromComparison) => {
    console.info(JSON.stringify(message).slice(0, 300));
    if (message.kind === 'ready') void runs.then(feed);
  },
  getState: () => memory,
  setState: () => undefined,
});

function feed(all: readonly ComparedRun[]): void {
  performance.mark('fed');
  send({ kind: 'folders', folders: all.map(({ folder }) => folder) });
  for (const run of all) send({ kind: 'runs', runs: [run] });
}

function folderOf(i: number): string {
  return `/workspace/.espalier/runs/${i}`;
}

function send(message: ToComparison): void {
  dispatchEvent(new MessageEvent('message', { data: structuredClone(message) }));
}
