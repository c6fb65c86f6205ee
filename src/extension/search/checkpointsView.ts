import path from 'node:path';
import * as vscode from 'vscode';
import { markdownCode, markdownText } from '../../base/markdown.ts';
import { inputName, inputText } from '../../experiment/hubName.ts';
import { formatCount, formatPerplexity } from '../../experiment/format.ts';
import type { CheckpointSummary } from '../../experiment/resultSchema.ts';
import { markdownString } from '../markdownString.ts';
import { iconFree } from '../messages.ts';
import { checkpointPlace } from '../workspacePaths.ts';

const CHECKPOINTS_VIEW = 'espalier.checkpoints';

export interface CheckpointsViewParts {
  /** What a checkpoint holds, from its headers; starts the worker. Undefined where that may not be. */
  readonly describe: (folder: string) => Promise<CheckpointSummary | undefined>;
  /** Dense perplexities that results in the workspace have for this folder, the newest first. */
  readonly densePerplexities: (folder: string) => readonly DensePerplexity[];
  /** Folders that are named somewhere, beside those that are found. */
  readonly named: () => readonly string[];
}

export interface DensePerplexity {
  readonly perplexity: number;
  /** The text that it was measured on, as a person names it. */
  readonly text: string;
}

export interface ListedCheckpoint {
  /** Absolute; of a model on the hub that is not in the cache its name. */
  readonly folder: string;
  readonly summary: CheckpointSummary | undefined;
  readonly problem: string | undefined;
}

/** More than this many folders are not looked at. */
const MOST = 100;

/** Checkpoints of the workspace, and those that its files and settings name. */
export class CheckpointsView implements vscode.TreeDataProvider<ListedCheckpoint>, vscode.Disposable {
  private readonly changed = new vscode.EventEmitter<void>();
  readonly onDidChangeTreeData = this.changed.event;
  private readonly parts: CheckpointsViewParts;
  private readonly view: vscode.TreeView<ListedCheckpoint>;
  private readonly known = new Map<string, ListedCheckpoint>();

  constructor(parts: CheckpointsViewParts) {
    this.parts = parts;
    this.view = vscode.window.createTreeView(CHECKPOINTS_VIEW, { treeDataProvider: this });
  }

  /** Draws anew: a perplexity may have become known. */
  refresh(): void {
    this.changed.fire();
  }

  /** Looks anew, at the disk too. */
  reload(): void {
    this.known.clear();
    this.changed.fire();
  }

  async getChildren(parent?: ListedCheckpoint): Promise<ListedCheckpoint[]> {
    if (parent) return [];
    const folders = await this.folders();
    return Promise.all(folders.map((folder) => this.look(folder)));
  }

  getTreeItem({ folder, summary, problem }: ListedCheckpoint): vscode.TreeItem {
    const item = new vscode.TreeItem(iconFree(inputName(folder)));
    const place = checkpointPlace(folder);
    const dense = this.parts.densePerplexities(folder);
    item.id = folder;
    item.iconPath = new vscode.ThemeIcon(problem === undefined ? 'database' : 'warning');
    item.contextValue = 'checkpoint';
    const facts = summary
      ? [summary.architecture.replace(/ForCausalLM$/, ''), formatCount(summary.parameters), precisionOf(summary)]
      : [problem ?? place];
    item.description = iconFree(
      [...facts, ...(dense[0] ? [`dense ${formatPerplexity(dense[0].perplexity)}`] : [])].join(' · '),
    );
    const rows = [
      markdownCode(place),
      ...(summary
        ? [
            markdownText(
              `${summary.architecture}, ${summary.blocks} blocks, width ${summary.hidden}, vocabulary ${summary.vocabulary}`,
            ),
            markdownText(
              `${formatCount(summary.parameters)} parameters, ${formatCount(summary.prunableParameters)} of them prunable, stored as ${precisionOf(summary)}`,
            ),
            ...(summary.notes ?? []).map((note) => markdownText(note)),
          ]
        : []),
      ...(problem === undefined ? [] : [markdownText(problem)]),
      ...dense.map(
        ({ perplexity, text }) =>
          `dense perplexity ${formatPerplexity(perplexity)} on ${markdownText(inputText(text))}`,
      ),
    ];
    item.tooltip = markdownString(rows.join('\n\n'));
    item.accessibilityInformation = { label: `checkpoint ${iconFree(place)}, ${item.description}` };
    return item;
  }

  dispose(): void {
    this.view.dispose();
    this.changed.dispose();
  }

  private async look(folder: string): Promise<ListedCheckpoint> {
    const known = this.known.get(folder);
    if (known) return known;
    const looked: ListedCheckpoint = await this.parts.describe(folder).then(
      (summary) => ({ folder, summary, problem: undefined }),
      (error: unknown) => ({
        folder,
        summary: undefined,
        problem: error instanceof Error ? error.message.split('\n', 1)[0] : String(error),
      }),
    );
    // What was not looked at for want of trust is looked at again.
    if (looked.summary || looked.problem !== undefined) this.known.set(folder, looked);
    return looked;
  }

  /** Folders with a config.json beside weights. */
  private async folders(): Promise<string[]> {
    const configs = await vscode.workspace.findFiles('**/config.json', '**/{node_modules,.espalier,.git}/**', 4 * MOST);
    const found: string[] = [];
    for (const config of configs) {
      const folder = path.dirname(config.fsPath);
      const entries = await vscode.workspace.fs.readDirectory(vscode.Uri.file(folder)).then(undefined, () => []);
      if (entries.some(([name]) => name.endsWith('.safetensors') || name.endsWith('.safetensors.index.json')))
        found.push(folder);
    }
    return [...new Set([...found, ...this.parts.named()])].sort().slice(0, MOST);
  }
}

function precisionOf({ storedAs }: CheckpointSummary): string {
  return storedAs.map((type) => type.toLowerCase()).join(', ');
}
