import { homedir } from 'node:os';
import * as vscode from 'vscode';
import type { Figure } from '../../figures/figureSchema.ts';
import type { OutlineRange, TreeResult } from '../../language/server/messages.ts';
import { SYSTEM_CLOCK } from '../../base/clock.ts';
import type { Target } from '../evaluate/evaluator.ts';
import type { Outlines } from '../outlines.ts';
import type { Supervisor } from '../worker/supervisor.ts';
import { plainLine } from '../../base/plainText.ts';
import { WebviewChannel } from '../webviewChannel.ts';
import { webviewHtml, webviewRoots } from '../webviewHtml.ts';
import { fromTreeSchema, treeMemorySchema } from '../../view/treeMessages.ts';
import type { FormulaTarget, FromTree, TreeMemory, TreeTarget, ToTree } from '../../view/treeMessages.ts';
import { saveFigure } from '../saveFigure.ts';
import { TreeSession } from './treeSession.ts';
import { tellInformation } from '../messages.ts';

export interface TreePreviewParts {
  readonly extension: vscode.Uri;
  readonly outlines: Outlines;
  readonly supervisor: Supervisor;
  readonly treeOf: (target: Target) => Promise<TreeResult>;
  readonly isEvaluating: () => boolean;
  readonly showLog: () => void;
  readonly tell: (what: string, error: unknown) => void;
}

const VIEW_TYPE = 'espalier.tree';

/**
 * The tree preview of the window: one panel beside the editor that follows the cursor from metric to metric. What it shows is decided
 * in {@link TreeSession}; here it meets editors, documents and the panel.
 */
export class TreePreview implements vscode.WebviewPanelSerializer {
  private readonly parts: TreePreviewParts;
  private readonly subscriptions: vscode.Disposable[];
  private open: { readonly panel: vscode.WebviewPanel; readonly session: TreeSession } | undefined;

  constructor(parts: TreePreviewParts) {
    this.parts = parts;
    const { window, workspace } = vscode;
    this.subscriptions = [
      window.registerWebviewPanelSerializer(VIEW_TYPE, this),
      window.onDidChangeTextEditorSelection(({ textEditor }) => {
        this.follow(textEditor);
      }),
      window.onDidChangeActiveTextEditor((editor) => {
        if (editor) this.follow(editor);
      }),
      workspace.onDidGrantWorkspaceTrust(() => {
        this.lookAgain();
      }),
      workspace.onDidChangeConfiguration((event) => {
        const shown = this.open?.session.shown;
        // Layer and calibration may be others now.
        if (shown?.kind === 'metric' && event.affectsConfiguration('espalier')) this.documentChanged(shown.uri);
      }),
    ];
  }

  /** Shows a metric: the one that is named, else the one at the cursor, else the first of the file at hand. */
  async show(argument?: unknown): Promise<void> {
    const target = isTarget(argument) ? argument : this.metricAtHand();
    if (!target) {
      const text = 'Put the cursor into a metric of a .prune file: its syntax tree is shown beside.';
      void tellInformation(text);
      return;
    }
    await this.reveal({ kind: 'metric', ...target });
  }

  /** Shows a formula that stands in no file, until the cursor is moved into a metric. */
  showFormula(formula: FormulaTarget): Promise<void> {
    return this.reveal(formula);
  }

  /** The language has read a document anew, or its settings are others. */
  documentChanged(uri: string): void {
    this.open?.session.documentChanged(uri);
  }

  /** A metric was evaluated: what its nodes compute can be seen now. */
  evaluated(target: Target): void {
    this.open?.session.evaluated(target);
  }

  /** What the worker does may be something else now. */
  lookAgain(): void {
    this.open?.session.lookAgain();
  }

  /** After a reload of the window. */
  async deserializeWebviewPanel(panel: vscode.WebviewPanel, remembered: unknown): Promise<void> {
    const { data: memory } = treeMemorySchema.safeParse(remembered);
    if (!memory) {
      panel.dispose();
      return;
    }
    const session = this.attach(panel, memory.target, memory);
    await this.read(session, memory.target);
  }

  dispose(): void {
    for (const subscription of this.subscriptions) subscription.dispose();
    this.open?.panel.dispose();
  }

  private async reveal(target: TreeTarget): Promise<void> {
    const open = this.open;
    if (open) {
      open.panel.reveal(undefined, true);
      await this.read(open.session, target);
      return;
    }
    const place = { viewColumn: vscode.ViewColumn.Beside, preserveFocus: true };
    const panel = vscode.window.createWebviewPanel(VIEW_TYPE, 'Tree', place);
    await this.read(this.attach(panel, target), target);
  }

  private attach(panel: vscode.WebviewPanel, target: TreeTarget, memory?: TreeMemory): TreeSession {
    this.open?.panel.dispose();
    const { extension, outlines, supervisor, treeOf, isEvaluating, showLog } = this.parts;
    const channel = new WebviewChannel<ToTree, FromTree>(panel.webview, fromTreeSchema, (message) => {
      session.receive(message);
      if (message.kind === 'trust') void vscode.commands.executeCommand('workbench.trust.manage');
      if (message.kind === 'showLog') showLog();
      if (message.kind === 'exportFigure') this.save(message.figure);
    });
    const session: TreeSession = new TreeSession(
      {
        treeOf,
        plansOf: (of) => outlines.plans(of),
        inspect: supervisor.asking('inspect'),
        isTrusted: () => vscode.workspace.isTrusted,
        isEvaluating,
        reveal: (uri, range, version, focus) => void select(uri, range, version, focus),
        nameOf: (uri) => vscode.workspace.asRelativePath(vscode.Uri.parse(uri), false),
        post: (message) => {
          channel.post(message);
        },
        clock: SYSTEM_CLOCK,
      },
      target,
      memory,
    );
    const open = { panel, session };
    this.open = open;
    panel.iconPath = vscode.Uri.joinPath(extension, 'media', 'icon.png');
    panel.webview.options = { enableScripts: true, localResourceRoots: webviewRoots(extension) };
    panel.onDidDispose(() => {
      channel.dispose();
      session.dispose();
      if (this.open === open) this.open = undefined;
    });
    panel.webview.html = webviewHtml(panel.webview, extension, 'tree', 'Tree');
    return session;
  }

  private save(figure: Figure): void {
    const [folder] = vscode.workspace.workspaceFolders ?? [];
    saveFigure(figure, folder?.uri.fsPath ?? homedir(), 'tree').catch((error: unknown) => {
      this.parts.tell('The figure could not be saved', error);
    });
  }

  private async read(session: TreeSession, target: TreeTarget): Promise<void> {
    if (target.kind === 'metric') {
      // After a reload no editor may show the file; the language knows open documents alone.
      await Promise.resolve(vscode.workspace.openTextDocument(vscode.Uri.parse(target.uri))).catch(() => undefined);
    }
    await session.show(target);
    if (this.open?.session !== session) return;
    this.open.panel.title = `Tree: ${plainLine(target.kind === 'metric' ? target.name : target.title)}`;
    // A formula stays until the cursor is moved.
    if (target.kind !== 'metric') return;
    const { activeTextEditor, visibleTextEditors } = vscode.window;
    const editor =
      activeTextEditor ?? visibleTextEditors.find(({ document }) => document.uri.toString() === target.uri);
    if (editor) this.follow(editor);
  }

  /** Shows the metric that the cursor of an editor is in, and in it the node. */
  private follow(editor: vscode.TextEditor): void {
    const { open } = this;
    if (!open || editor.document.languageId !== 'prune') return;
    const uri = editor.document.uri.toString();
    const name = this.metricAt(editor);
    const { shown } = open.session;
    const isShown = shown.kind === 'metric' && shown.uri === uri && shown.name === name;
    if (name !== undefined && !isShown && editor === vscode.window.activeTextEditor) {
      void this.read(open.session, { kind: 'metric', uri, name });
    } else {
      open.session.cursor(isShown ? rangeOf(editor.selection) : undefined);
    }
  }

  private metricAtHand(): Target | undefined {
    const editor = vscode.window.activeTextEditor;
    if (editor?.document.languageId !== 'prune') return undefined;
    const uri = editor.document.uri.toString();
    const name =
      this.metricAt(editor) ?? this.parts.outlines.evaluable(uri).find(({ kind }) => kind === 'metric')?.name;
    return name === undefined ? undefined : { uri, name };
  }

  private metricAt({ document, selection }: vscode.TextEditor): string | undefined {
    const { line } = selection.active;
    const metrics = this.parts.outlines.evaluable(document.uri.toString()).filter(({ kind }) => kind === 'metric');
    return metrics.find(({ range: { start, end } }) => start.line <= line && line <= end.line)?.name;
  }
}

/** Selects a range, in the editor that shows the document or in one that is opened for it. */
async function select(uri: string, range: OutlineRange, version: number, focus: boolean): Promise<void> {
  const at = vscode.Uri.parse(uri);
  const selection = new vscode.Range(range.start.line, range.start.character, range.end.line, range.end.character);
  const shown = vscode.window.visibleTextEditors.find(({ document }) => document.uri.toString() === at.toString());
  // Typed into since: the range is one of a text that is gone.
  if (shown && shown.document.version !== version) return;
  await vscode.window.showTextDocument(at, {
    viewColumn: shown?.viewColumn ?? vscode.ViewColumn.One,
    preserveFocus: !focus,
    selection,
  });
}

function rangeOf({ start, end }: vscode.Selection): OutlineRange {
  return {
    start: { line: start.line, character: start.character },
    end: { line: end.line, character: end.character },
  };
}

function isTarget(argument: unknown): argument is Target {
  const { uri, name } = (argument ?? {}) as Partial<Record<keyof Target, unknown>>;
  return typeof uri === 'string' && typeof name === 'string';
}
