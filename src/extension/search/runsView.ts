import { runMethod, runSparsity } from '../../search/runMethod.ts';
import * as vscode from 'vscode';
import { describeError } from '../../base/errors.ts';
import { markdownCode, markdownText } from '../../base/markdown.ts';
import { formatCount, formatPerplexity, formatShare } from '../../experiment/format.ts';
import { fitnessWords } from '../../search/fitnessWords.ts';
import { measuredText } from '../../search/lifecycle/fitnessText.ts';
import { plannedLength } from '../../search/kinds.ts';
import { configurationText } from '../../search/rates/configuration.ts';
import { printSparsity } from '../../experiment/sparsity.ts';
import { parsePrefix } from '../../metric/parsePrefix.ts';
import { printInfix } from '../../metric/print.ts';
import type { BestSummary, RunSummary, UnreadableRun } from '../../runs/runSummary.ts';
import { markdownString } from '../markdownString.ts';
import { iconFree } from '../messages.ts';
import { ago } from './ago.ts';
import { isReadable } from './runLibrary.ts';
import type { ListedRun, RunLibrary } from './runLibrary.ts';
import type { SearchRunner } from './searchRunner.ts';
import { inputText } from '../../experiment/hubName.ts';

const RUNS_VIEW = 'espalier.runs';

/** How a run stands, for its icon, its context menu and a screen reader. */
type Standing = 'here' | 'elsewhere' | 'paused' | 'interrupted' | 'finished' | 'failed' | 'damaged' | 'unreadable';

const ICONS: Readonly<Record<Standing, vscode.ThemeIcon>> = {
  here: new vscode.ThemeIcon('sync~spin', new vscode.ThemeColor('charts.blue')),
  elsewhere: new vscode.ThemeIcon('eye', new vscode.ThemeColor('charts.blue')),
  paused: new vscode.ThemeIcon('debug-pause'),
  interrupted: new vscode.ThemeIcon('debug-disconnect'),
  finished: new vscode.ThemeIcon('pass', new vscode.ThemeColor('charts.green')),
  failed: new vscode.ThemeIcon('error', new vscode.ThemeColor('errorForeground')),
  damaged: new vscode.ThemeIcon('warning', new vscode.ThemeColor('charts.yellow')),
  unreadable: new vscode.ThemeIcon('warning', new vscode.ThemeColor('charts.yellow')),
};

const WORDS: Readonly<Record<Standing, string>> = {
  here: 'running',
  elsewhere: 'running in another window or command line',
  paused: 'paused',
  interrupted: 'stopped before its end',
  finished: 'finished',
  failed: 'failed',
  damaged: 'its journal is damaged',
  unreadable: 'cannot be read',
};

/** Differences between runs of one search that a row names. */
const MOST_DETAILS = 3;

/** The runs of the workspace, newest first. */
export class RunsView implements vscode.TreeDataProvider<ListedRun>, vscode.Disposable {
  private readonly changed = new vscode.EventEmitter<void>();
  readonly onDidChangeTreeData = this.changed.event;
  readonly view: vscode.TreeView<ListedRun>;
  private readonly runLibrary: RunLibrary;
  private readonly runner: SearchRunner;

  constructor(library: RunLibrary, runner: SearchRunner) {
    this.runLibrary = library;
    this.runner = runner;
    this.view = vscode.window.createTreeView(RUNS_VIEW, { treeDataProvider: this, canSelectMany: true });
  }

  refresh(): void {
    const running = this.runner.folders.length;
    this.view.badge = running === 0 ? undefined : { value: running, tooltip: `${running} searches running` };
    this.changed.fire();
  }

  async getChildren(parent?: ListedRun): Promise<ListedRun[]> {
    if (parent) return [];
    if (!this.runLibrary.isLoaded) await this.runLibrary.load();
    return [...this.runLibrary.runs];
  }

  getTreeItem(listed: ListedRun): vscode.TreeItem {
    return isReadable(listed) ? this.item(listed) : brokenItem(listed);
  }

  dispose(): void {
    this.view.dispose();
    this.changed.dispose();
  }

  private item(summary: RunSummary): vscode.TreeItem {
    const { run, folder, best, lastAt, notes } = summary;
    const { plan } = run.record;
    const standing = this.standing(summary);
    const { title, details } = this.runLibrary.titleOf(run);
    const name = iconFree(title);
    const item = new vscode.TreeItem(name);
    item.id = folder;
    item.iconPath = ICONS[standing];
    item.contextValue = `run.${standing}`;
    const parts = [
      ...(best ? [measuredText(best) ?? ''] : []),
      runMethod(plan).title,
      ...details.slice(0, MOST_DETAILS),
      ...(notes.tags ?? []).map((tag) => `#${tag}`),
      standing === 'here' || standing === 'damaged' ? WORDS[standing] : ago(lastAt, Date.now()),
    ];
    item.description = iconFree(parts.join(' · '));
    item.tooltip = tooltip(summary, this.whereabouts(summary, standing), details);
    item.accessibilityInformation = { label: `${name}, ${WORDS[standing]}, ${parts.join(', ')}` };
    item.command = { command: 'espalier.openRun', title: 'Open', arguments: [listedArgument(folder)] };
    return item;
  }

  /** Its state, and who computes it where that is not this machine. */
  private whereabouts({ folder }: RunSummary, standing: Standing): string {
    const queue = this.runner.queueOf(folder);
    if (!queue) return WORDS[standing];
    const working = queue.workers?.filter(({ state }) => state === 'ours' || state === 'opening').length;
    return `${WORDS[standing]} over ${queue.shown}${working === undefined ? '' : `, ${working} at work`}`;
  }

  private standing({ folder, state }: RunSummary): Standing {
    if (this.runner.drivingOf(folder)) return 'here';
    return state === 'running' ? 'elsewhere' : state;
  }
}

/** What commands of the view get, from a click and from a context menu alike. */
function listedArgument(folder: string): { readonly folder: string } {
  return { folder };
}

function brokenItem({ id, folder, error }: UnreadableRun): vscode.TreeItem {
  const item = new vscode.TreeItem(iconFree(id));
  item.id = folder;
  item.iconPath = ICONS.unreadable;
  item.contextValue = 'run.unreadable';
  item.description = WORDS.unreadable;
  item.tooltip = markdownString(markdownText(describeError(error)));
  return item;
}

function tooltip(
  { id, run, best, counts, generation, damage, notes }: RunSummary,
  state: string,
  details: readonly string[],
): vscode.MarkdownString {
  const { plan, document, createdAt } = run.record;
  const { title, seed } = runMethod(plan);
  const sparsity = runSparsity(plan);
  const round = plan.kind === 'masks' || plan.kind === 'recovery' ? 'step' : 'generation';
  const rows: (readonly [name: string, text: string])[] = [
    ...(notes.note === undefined ? [] : [['note', notes.note] as const]),
    ...(notes.tags === undefined ? [] : [['tags', notes.tags.join(', ')] as const]),
    ...(notes.problem === undefined ? [] : [['notes.json', `not read: ${notes.problem}`] as const]),
    ['state', generation === undefined ? state : `${state}, ${round} ${generation + 1} of ${plannedLength(plan)}`],
    ['method', [title, ...(plan.kind === 'recovery' ? [] : fitnessWords(plan)), `seed ${seed}`].join(', ')],
    ...(details.length === 0 ? [] : [['apart by', details.join(', ')] as const]),
    ['checkpoint', `${inputText(plan.model)}${sparsity ? ` at ${printSparsity(sparsity)}` : ''}`],
    ...(best ? [['best', `${measuredText(best) ?? ''}: ${bestText(best)}`] as const] : []),
    ...(counts ? [['work', workText(counts)] as const] : []),
    ...(document === undefined ? [] : [['file', document] as const]),
    ['begun', `${createdAt.slice(0, 16).replace('T', ' ')} UTC`],
    ['run', id],
    ...(damage ? [['journal', describeError(damage)] as const] : []),
  ];
  return markdownString(
    [
      '| | |',
      '|---|---|',
      // The best is Markdown already.
      ...rows.map(([name, text]) => `| ${name} | ${name === 'best' ? text : markdownText(text)} |`),
    ].join('\n'),
  );
}

/** Markdown. */
function bestText(best: BestSummary): string {
  if (best.kind === 'metric') return markdownCode(infix(best.expression));
  if (best.kind === 'masks') return `without ${formatShare(best.removed)} of the blocks’ weights`;
  if (best.kind === 'recovery')
    return `after ${best.step} steps${best.before === null ? '' : `, ${formatPerplexity(best.before)} before`}`;
  return configurationText(best, ratesText);
}

function workText(counts: NonNullable<RunSummary['counts']>): string {
  if ('fullEvaluations' in counts) {
    return `${counts.candidates} candidates, ${counts.fullEvaluations} evaluated in full`;
  }
  const tokens = counts.promptTokens + counts.replyTokens;
  return `${counts.candidates} configurations${tokens === 0 ? '' : `, ${formatCount(tokens)} tokens of the language model`}`;
}

/** From the first block to the last. */
function ratesText(rates: readonly number[]): string {
  const percents = rates.map((rate) => Math.round(100 * rate));
  return `${percents.slice(0, 12).join(' ')}${percents.length > 12 ? ' …' : ''} %`;
}

function infix(expression: string): string {
  try {
    return printInfix(parsePrefix(expression));
  } catch {
    return expression;
  }
}
