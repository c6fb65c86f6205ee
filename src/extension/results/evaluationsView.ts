import path from 'node:path';
import * as vscode from 'vscode';
import { plannedKey } from '../../runs/evaluationRecord.ts';
import type { EvaluationRecord } from '../../runs/evaluationRecord.ts';
import { SYSTEM_CLOCK } from '../../base/clock.ts';
import type { InputHashes } from '../evaluate/inputHashes.ts';
import { markdownString } from '../markdownString.ts';
import { iconFree, tellInformation } from '../messages.ts';
import type { Outlines } from '../outlines.ts';
import type { RecordBooks } from '../evaluate/recordBooks.ts';
import { provenanceHover } from '../evaluate/resultText.ts';
import { evaluationRows } from './evaluationRows.ts';
import type { EvaluationRow, Standing } from './evaluationRows.ts';
import { fileInside } from '../workspaceFile.ts';
import { showDeclaration } from './showDeclaration.ts';

const VIEW = 'espalier.evaluations';
/** Rows of a document, at most; evaluations are kept for years. */
const MOST = 1000;
/** Milliseconds from a change to the next drawing. */
const DELAY = 200;

const ICONS: Readonly<Record<Standing, vscode.ThemeIcon>> = {
  current: new vscode.ThemeIcon('pass', new vscode.ThemeColor('charts.green')),
  unchecked: new vscode.ThemeIcon('circle-outline'),
  stale: new vscode.ThemeIcon('warning', new vscode.ThemeColor('charts.yellow')),
  superseded: new vscode.ThemeIcon('history'),
};

export interface EvaluationsViewParts {
  readonly records: RecordBooks;
  readonly outlines: Outlines;
  readonly hashes: InputHashes;
}

/** A document that something was evaluated from, or one of its evaluations. */
type Entry = DocumentEntry | (EvaluationRow & { readonly of: DocumentEntry });

interface DocumentEntry {
  /** Workspace folder, absolute. */
  readonly root: string;
  /** As its records name it. */
  readonly document: string;
  /** Oldest first. */
  readonly records: readonly EvaluationRecord[];
}

/** Every evaluation that the workspace has kept, by the file that it was asked from: all of what has little room beside a line. */
export class EvaluationsView implements vscode.TreeDataProvider<Entry>, vscode.Disposable {
  private readonly changed = new vscode.EventEmitter<void>();
  readonly onDidChangeTreeData = this.changed.event;
  private readonly parts: EvaluationsViewParts;
  private readonly view: vscode.TreeView<Entry>;
  private withdraw: (() => void) | undefined;
  /** The newest record of each document when its inputs were looked at. */
  private readonly looked = new Map<string, EvaluationRecord | undefined>();

  constructor(parts: EvaluationsViewParts) {
    this.parts = parts;
    this.view = vscode.window.createTreeView(VIEW, { treeDataProvider: this, showCollapseAll: true });
  }

  /** Draws anew, soon. One that is not in sight asks for everything when it is. */
  refresh(): void {
    if (!this.view.visible) return;
    this.withdraw ??= SYSTEM_CLOCK.after(DELAY, () => {
      this.withdraw = undefined;
      this.changed.fire();
    });
  }

  getChildren(parent?: Entry): Entry[] {
    if (parent === undefined) return this.documents();
    if ('standing' in parent) return [];
    const { root, records } = parent;
    this.lookAt(parent);
    const rows = evaluationRows(records, {
      freshness: (record) => this.parts.hashes.freshness(record, root),
      asked: this.askedOf(parent),
    });
    return rows.slice(0, MOST).map((row) => ({ ...row, of: parent }));
  }

  getTreeItem(entry: Entry): vscode.TreeItem {
    return 'standing' in entry ? rowItem(entry) : documentItem(entry);
  }

  /** Goes to where the metric stands. @param argument what a row's command gives */
  async open(argument: unknown): Promise<void> {
    const { root, document, name } = (argument ?? {}) as Partial<Record<'root' | 'document' | 'name', unknown>>;
    if (typeof root !== 'string' || typeof document !== 'string' || typeof name !== 'string') return;
    // What a record says is a claim: no file outside of the folder is opened for it.
    const file = await fileInside(root, document);
    if (file !== undefined && (await showDeclaration(vscode.Uri.file(file), name))) return;
    void tellInformation(`${name} stands no longer in ${document}.`);
  }

  dispose(): void {
    this.withdraw?.();
    this.view.dispose();
    this.changed.dispose();
  }

  /** Whoever unfolds a file looks at its results, as if it were opened: inputs that look different are hashed, once. */
  private lookAt({ root, document, records }: DocumentEntry): void {
    const [key, newest] = [`${root} ${document}`, records.at(-1)];
    if (this.looked.get(key) === newest) return;
    this.looked.set(key, newest);
    void this.parts.hashes.look(records, root);
  }

  private documents(): DocumentEntry[] {
    return (vscode.workspace.workspaceFolders ?? []).flatMap(({ uri: { fsPath: root } }) => {
      const byDocument = new Map<string, EvaluationRecord[]>();
      for (const record of this.parts.records.in(root)) {
        const of = byDocument.get(record.document) ?? [];
        byDocument.set(record.document, of);
        of.push(record);
      }
      return [...byDocument]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([document, records]) => ({ root, document, records }));
    });
  }

  private askedOf({ root, document }: DocumentEntry): ReadonlySet<string> | undefined {
    const { outlines } = this.parts;
    const uri = vscode.Uri.file(path.resolve(root, document)).toString();
    if (!outlines.has(uri)) return undefined;
    const plans = outlines.evaluable(uri).map(({ name }) => outlines.knownPlans({ uri, name }));
    if (plans.includes('unknown')) return undefined;
    return new Set(
      plans
        .flatMap((known) => (typeof known === 'string' ? [] : known))
        .flatMap((plan) =>
          plan.evaluations.length === 0
            ? [plannedKey(plan, undefined, root)]
            : plan.evaluations.map((evaluation) => plannedKey(plan, evaluation, root)),
        ),
    );
  }
}

function documentItem({ root, document, records }: DocumentEntry): vscode.TreeItem {
  const item = new vscode.TreeItem(iconFree(path.basename(document)), vscode.TreeItemCollapsibleState.Expanded);
  const folder = path.dirname(document);
  item.id = `${root} ${document}`;
  item.iconPath = new vscode.ThemeIcon('file');
  item.description = folder === '.' ? '' : iconFree(folder);
  item.tooltip = `${document}: ${records.length} ${records.length === 1 ? 'evaluation' : 'evaluations'}`;
  return item;
}

function rowItem({
  record,
  standing,
  description,
  note,
  of: { root, document },
}: EvaluationRow & { of: DocumentEntry }): vscode.TreeItem {
  const { metric, expression } = record.result;
  const item = new vscode.TreeItem(iconFree(metric));
  item.iconPath = ICONS[standing];
  item.description = iconFree(description);
  item.tooltip = markdownString(provenanceHover([record], note));
  item.contextValue = 'evaluation';
  item.accessibilityInformation = { label: `${metric}, ${expression}, ${description}` };
  item.command = { command: 'espalier.openEvaluation', title: 'Open', arguments: [{ root, document, name: metric }] };
  return item;
}
