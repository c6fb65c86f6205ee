import './tree.css';
import type {
  FromTree,
  ShownMetric,
  StatisticsState,
  ToTree,
  TreeMemory,
} from '../../src/extension/tree/treeMessages.ts';
import type { NodeStatistics } from '../../src/experiment/inspection.ts';
import { printPrefix } from '../../src/metric/print.ts';
import { connectHost } from '../shared/host.ts';
import { Canvas } from './canvas.ts';
import { Details } from './details.ts';
import { type TreeNode, treeNodes } from './nodes.ts';
import { Notices } from './notices.ts';
import { Toolbar } from './toolbar.ts';

const host = connectHost<FromTree, ToTree, TreeMemory>({ metric: true, statistics: true, cursor: true });
let metric: ShownMetric | undefined;
let statistics: StatisticsState = { kind: 'off', hint: '', action: null };
let direction = host.remembered?.direction ?? 'right';
let fitted = host.remembered?.fitted ?? false;
let nodes: readonly TreeNode[] = [];
let cursor: number | null = null;

const inspect = (): void => {
  host.post({ kind: 'inspect' });
};
const stop = (): void => {
  host.post({ kind: 'stop' });
};
const toolbar = new Toolbar({
  onForm: (form) => {
    host.post({ kind: 'form', form });
  },
  onDirection: (chosen) => {
    direction = chosen;
    draw();
  },
  onFit: (chosen) => {
    fitted = chosen;
    draw();
  },
  onLayer: (tensor) => {
    host.post({ kind: 'layer', tensor });
  },
  onInspect: inspect,
  onStop: stop,
});
const notices = new Notices({
  onInspect: inspect,
  onStop: stop,
  onTrust: () => {
    host.post({ kind: 'trust' });
  },
  onLog: () => {
    host.post({ kind: 'showLog' });
  },
});
const canvas = new Canvas({
  onPick: (node) => {
    host.post({ kind: 'select', node: node.index, focus: false });
  },
  onOpen: (node) => {
    host.post({ kind: 'select', node: node.index, focus: true });
  },
});
const details = new Details();

document.body.append(toolbar.element, notices.element, canvas.element, details.element);
host.onMessage((message) => {
  switch (message.kind) {
    case 'metric':
      metric = message.metric;
      draw();
      break;
    case 'statistics': {
      const isProgress = statistics.kind === 'running' && message.statistics.kind === 'running';
      statistics = message.statistics;
      // Progress comes a dozen times a second and says nothing about the tree.
      if (isProgress) notices.show(metric, statistics);
      else draw();
      break;
    }
    case 'cursor':
      cursor = message.node;
      canvas.outline(cursor);
      details.show(cursor === null ? undefined : nodes[cursor]);
      break;
  }
});
draw();
host.post({ kind: 'ready' });

function draw(): void {
  const form = metric?.tree ?? null;
  const known = form ? statisticsOf(printPrefix(form.expression)) : undefined;
  const hasStatistics = statistics.kind === 'shown' || statistics.kind === 'running';
  nodes = form ? treeNodes(form, known) : [];
  toolbar.show({ metric, statistics, direction, fitted });
  notices.show(metric, statistics);
  document.body.classList.toggle('stale', metric?.condition === 'stale');
  document.body.classList.toggle('waiting', statistics.kind === 'running');
  canvas.draw({ nodes, hasStatistics, direction, fitted }, `Syntax tree of ${toolbar.name}`);
  canvas.outline(cursor);
  details.show(cursor === null ? undefined : nodes[cursor]);
  if (metric) host.remember({ target: metric.target, form: metric.form, tensor: tensorOf(), direction, fitted });
}

/** The statistics at hand, where they are of exactly this expression. */
function statisticsOf(prefix: string): readonly NodeStatistics[] | undefined {
  const inspected =
    statistics.kind === 'shown' ? statistics.inspected : statistics.kind === 'running' ? statistics.before : null;
  return inspected?.of === prefix ? inspected.inspection.nodes : undefined;
}

function tensorOf(): string | null {
  return statistics.kind === 'shown' ? statistics.inspected.inspection.tensor : (host.remembered?.tensor ?? null);
}
