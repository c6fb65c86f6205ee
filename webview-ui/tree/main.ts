import './tree.css';
import type { FromTree, TreeMemory, ShownMetric, StatisticsState, ToTree } from '../../src/view/treeMessages.ts';
import type { NodeStatistics } from '../../src/experiment/inspectionSchema.ts';
import { printPrefix } from '../../src/metric/print.ts';
import { connectHost } from '../shared/host.ts';
import { onFigure } from '../shared/figureButton.ts';
import { Canvas } from './canvas.ts';
import { Details } from './details.ts';
import { type TreeNode, treeNodes } from './nodes.ts';
import { Notices } from './notices.ts';
import { Toolbar } from './toolbar.ts';
import { treeFigure } from './treeFigure.ts';

const host = connectHost<FromTree, ToTree, TreeMemory>({ metric: true, statistics: true, cursor: true });
let metric: ShownMetric | undefined;
let statistics: StatisticsState = { kind: 'off', hint: '', action: null };
let direction = host.remembered?.direction ?? 'right';
/** Fits until somebody chooses a size, which then stays. */
let zoom = host.remembered?.zoom ?? null;
let nodes: readonly TreeNode[] = [];
let cursor: number | null = null;
/** Node that the cursor was in when this metric was opened: the root is shown then; the cursor is followed once it moves. */
let entered: number | null = null;
let follows = false;

const inspect = (): void => {
  host.post({ kind: 'inspect' });
};
const stop = (): void => {
  host.post({ kind: 'stop' });
};
const toolbar: Toolbar = new Toolbar({
  onForm: (form) => {
    host.post({ kind: 'form', form });
  },
  onDirection: (chosen) => {
    direction = chosen;
    draw();
  },
  onZoom: (change) => {
    if (change === 'fit') zoomTo(null);
    else canvas.zoomBy(change);
  },
  onLayer: (tensor) => {
    host.post({ kind: 'layer', tensor });
  },
  onInspect: inspect,
  onStop: stop,
  figureOf: () => treeFigure(`Syntax tree of ${toolbar.name}`, nodes, direction),
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
  onZoom: zoomTo,
});
const details = new Details();

document.body.append(toolbar.element, notices.element, canvas.element, details.element);
host.onMessage((message) => {
  switch (message.kind) {
    case 'metric':
      if (JSON.stringify(message.metric.target) !== JSON.stringify(metric?.target)) {
        entered = null;
        follows = false;
      }
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
      entered ??= cursor;
      follows ||= cursor !== entered;
      canvas.outline(cursor, follows);
      details.show(cursor === null ? undefined : nodes[cursor]);
      break;
  }
});
onFigure((figure) => {
  host.post({ kind: 'exportFigure', figure });
});
draw();
host.post({ kind: 'ready' });

function draw(): void {
  const form = metric?.tree ?? null;
  const known = form ? statisticsOf(printPrefix(form.expression)) : undefined;
  const hasStatistics = statistics.kind === 'shown' || statistics.kind === 'running';
  nodes = form ? treeNodes(form, known) : [];
  toolbar.show({ metric, statistics, direction, zoom });
  notices.show(metric, statistics);
  document.body.classList.toggle('stale', metric?.condition === 'stale');
  document.body.classList.toggle('waiting', statistics.kind === 'running');
  canvas.draw({ nodes, hasStatistics, direction, zoom }, `Syntax tree of ${toolbar.name}`);
  canvas.outline(cursor, false);
  details.show(cursor === null ? undefined : nodes[cursor]);
  if (metric) host.remember({ target: metric.target, form: metric.form, tensor: tensorOf(), direction, zoom });
}

function zoomTo(chosen: number | null): void {
  zoom = chosen;
  draw();
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
