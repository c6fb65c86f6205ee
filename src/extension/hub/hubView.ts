import path from 'node:path';
import * as vscode from 'vscode';
import { markdownCode, markdownText } from '../../base/markdown.ts';
import { formatBytes } from '../../experiment/format.ts';
import { hubCacheFolder } from '../../files/hubFolder.ts';
import { listCache } from '../../hub/cacheList.ts';
import type { CachedRepository } from '../../hub/cacheList.ts';
import { ago } from '../search/ago.ts';
import { markdownString } from '../markdownString.ts';
import { iconFree } from '../messages.ts';

const HUB_VIEW = 'espalier.hub';

/** What the cache of the Hugging Face hub holds on this machine, whoever fetched it. Nothing is asked of the hub. */
export class HubView implements vscode.TreeDataProvider<CachedRepository>, vscode.Disposable {
  private readonly changed = new vscode.EventEmitter<void>();
  readonly onDidChangeTreeData = this.changed.event;
  private readonly onRefresh: () => void;
  private readonly view: vscode.TreeView<CachedRepository>;

  /** @param onRefresh whatever else shows the cache has to look anew, too */
  constructor(onRefresh: () => void = () => undefined) {
    this.onRefresh = onRefresh;
    this.view = vscode.window.createTreeView(HUB_VIEW, { treeDataProvider: this });
  }

  /** Looks anew. */
  refresh(): void {
    this.changed.fire();
    this.onRefresh();
  }

  async getChildren(parent?: CachedRepository): Promise<CachedRepository[]> {
    return parent ? [] : [...(await listCache(hubCacheFolder()))];
  }

  getTreeItem(found: CachedRepository): vscode.TreeItem {
    const { kind, id, folder, bytes, used, commits, isComplete, unfinished } = found;
    const item = new vscode.TreeItem(iconFree(id));
    const problem = problemOf(found);
    item.id = folder;
    item.iconPath = new vscode.ThemeIcon(iconOf(found));
    item.contextValue = `hub.${kind}.${isComplete ? 'complete' : 'incomplete'}`;
    const facts = [formatBytes(bytes), ...(used === 0 ? [] : [ago(used, Date.now())]), ...(problem ? [problem] : [])];
    item.description = facts.join(' · ');
    item.tooltip = markdownString(
      [
        markdownCode(referenceOf(found)),
        markdownText(`${kind === 'model' ? 'model' : 'data set'}, ${formatBytes(bytes)} on the disk`),
        ...(used === 0 ? [] : [`last used ${new Date(used).toISOString().slice(0, 10)}`]),
        ...commits.slice(0, 5).map((commit) => `commit ${commit.slice(0, 12)}`),
        ...(unfinished > 0 ? [`${unfinished} unfinished ${unfinished === 1 ? 'download' : 'downloads'}`] : []),
        markdownCode(folder),
      ].join('\n\n'),
    );
    item.accessibilityInformation = { label: `${kind} ${iconFree(id)}, ${item.description}` };
    return item;
  }

  /** A file with the model and a first experiment, not saved yet: the texts are the person's to name. */
  async prune(argument: unknown): Promise<void> {
    if (!isListed(argument) || argument.kind !== 'model') return;
    const document = await vscode.workspace.openTextDocument({ language: 'prune', content: firstFile(argument) });
    await vscode.window.showTextDocument(document);
  }

  async reveal(argument: unknown): Promise<void> {
    if (!isListed(argument)) return;
    const [commit] = argument.commits;
    const place = commit === undefined ? argument.folder : path.join(argument.folder, 'snapshots', commit);
    await vscode.commands.executeCommand('revealFileInOS', vscode.Uri.file(place));
  }

  async copyReference(argument: unknown): Promise<void> {
    if (isListed(argument)) await vscode.env.clipboard.writeText(referenceOf(argument));
  }

  dispose(): void {
    this.view.dispose();
    this.changed.dispose();
  }
}

/** With a first experiment on the texts of most papers. */
export function firstFile({ id }: Pick<CachedRepository, 'id'>): string {
  const name = id
    .replace(/^.*\//, '')
    .replace(/\W+/g, '_')
    .replace(/^(?=\d)/, '_');
  return `model ${name} = "hf:${id}"
corpus test = "hf:Salesforce/wikitext/wikitext-2-raw-v1:test"
corpus train = "hf:Salesforce/wikitext/wikitext-2-raw-v1:train"

/// Weight magnitude times input norm (Wanda)
metric wanda = abs(W) * X

experiment first {
  model: ${name}
  evaluate: test
  calibrate: train (samples: 128)
  prune: wanda
  at: 50%
}
`;
}

function referenceOf({ id }: CachedRepository): string {
  return `hf:${id}`;
}

function problemOf({ kind, isComplete, unfinished }: CachedRepository): string | undefined {
  if (unfinished > 0) return 'download was stopped';
  if (isComplete) return undefined;
  return kind === 'model' ? 'no safetensors, or incomplete' : 'empty';
}

function iconOf(found: CachedRepository): string {
  if (problemOf(found) !== undefined) return 'warning';
  return found.kind === 'model' ? 'database' : 'book';
}

function isListed(argument: unknown): argument is CachedRepository {
  const { id, folder, kind } = (argument ?? {}) as Partial<Record<keyof CachedRepository, unknown>>;
  return typeof id === 'string' && typeof folder === 'string' && (kind === 'model' || kind === 'dataset');
}
