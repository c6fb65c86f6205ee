import * as vscode from 'vscode';
import { EspalierError } from '../../base/errors.ts';
import { fileProblem } from '../../files/fileProblem.ts';
import { readText } from '../../files/readBytes.ts';
import type { TreeResult } from '../../language/server/messages.ts';
import { printInfix } from '../../metric/print.ts';
import { exportPrunerZero, importPrunerZero } from '../../metric/prunerZero.ts';
import type { Target } from './evaluator.ts';
import { freeName } from '../freeName.ts';
import { formulaOf, nameFrom } from './importedMetric.ts';
import { insertBelowMetrics, revealMetric } from './insertMetric.ts';
import type { Outlines } from '../outlines.ts';
import { pruneFile } from '../pruneFile.ts';
import { tellInformation } from '../messages.ts';

export interface PrunerZeroTreesParts {
  readonly outlines: Outlines;
  /** The metric that a lens or an action names, or the one that the person picks. */
  readonly metricFor: (argument: unknown) => Promise<Target | undefined>;
  readonly treeOf: (target: Target) => Promise<TreeResult>;
  readonly tell: (what: string, error: unknown) => void;
}

/** Bytes; more than any tree that is let in needs. */
const MAX_TREE = 8 << 20;

/** Metrics as trees of Pruner-Zero: to the clipboard as its JSON, and from the clipboard or a file into the text. */
export class PrunerZeroTrees implements vscode.CodeActionProvider {
  private readonly parts: PrunerZeroTreesParts;

  constructor(parts: PrunerZeroTreesParts) {
    this.parts = parts;
  }

  provideCodeActions(document: vscode.TextDocument, { start }: vscode.Range): vscode.CodeAction[] {
    const uri = document.uri.toString();
    const metric = this.parts.outlines
      .evaluable(uri)
      .find(({ kind, range }) => kind === 'metric' && range.start.line <= start.line && start.line <= range.end.line);
    const action = (title: string, command: string, ...argument: unknown[]): vscode.CodeAction => {
      const found = new vscode.CodeAction(title, vscode.CodeActionKind.Refactor);
      found.command = { title, command, arguments: argument };
      return found;
    };
    return [
      ...(metric
        ? [action(`Copy ${metric.name} as Pruner-Zero JSON`, 'espalier.copyPrunerZero', { uri, name: metric.name })]
        : []),
      action('Import Pruner-Zero tree…', 'espalier.importPrunerZero'),
    ];
  }

  async copy(argument: unknown): Promise<void> {
    const what = 'copying a metric as a tree of Pruner-Zero';
    try {
      const target = await this.parts.metricFor(argument);
      if (!target) return;
      const tree = await this.parts.treeOf(target);
      if (!tree) throw broken(what, target.name);
      await vscode.env.clipboard.writeText(exportPrunerZero(tree.expression));
      void tellInformation(`The tree of ${target.name} is in the clipboard, as Pruner-Zero's JSON.`);
    } catch (error) {
      this.parts.tell(what, error);
    }
  }

  /** From the clipboard, where it holds a tree and that is meant, or from a file. */
  async import(): Promise<void> {
    try {
      const file = await pruneFile();
      if (!file) return;
      const source = await chooseTree();
      if (!source) return;
      const document = await vscode.workspace.openTextDocument(vscode.Uri.parse(file.uri));
      const name = freeName(document.getText(), source.name);
      const declaration = `metric ${name} = ${printInfix(importPrunerZero(source.text))}`;
      if (!(await insertBelowMetrics(document, this.parts.outlines, declaration))) return;
      await revealMetric(document, name);
    } catch (error) {
      this.parts.tell('importing a tree of Pruner-Zero', error);
    }
  }
}

interface ChosenTree {
  readonly text: string;
  /** What the metric is called, unless the file has that already. */
  readonly name: string;
}

async function chooseTree(): Promise<ChosenTree | undefined> {
  const text = await vscode.env.clipboard.readText();
  const formula = formulaOf(text);
  if (formula !== undefined) {
    const fromClipboard = { label: 'From the clipboard', description: formula };
    const chosen = await vscode.window.showQuickPick([fromClipboard, { label: 'From a JSON file…' }], {
      title: 'Import Pruner-Zero Tree',
    });
    if (!chosen) return undefined;
    if (chosen === fromClipboard) return { text, name: nameFrom(undefined) };
  }
  const [file] =
    (await vscode.window.showOpenDialog({
      title: 'Import Pruner-Zero Tree',
      openLabel: 'Import',
      filters: { 'Trees of Pruner-Zero': ['json'] },
    })) ?? [];
  return file && { text: await readTree(file.fsPath), name: nameFrom(file.fsPath) };
}

async function readTree(file: string): Promise<string> {
  try {
    return await readText(file, { maxBytes: MAX_TREE });
  } catch (error) {
    throw new EspalierError({
      code: 'io/read',
      operation: `reading ${file}`,
      expected: 'a JSON file with a tree of Pruner-Zero',
      actual: fileProblem(error).message,
      remedy: 'Choose another file.',
      file,
    });
  }
}

function broken(operation: string, name: string): EspalierError {
  return new EspalierError({
    code: 'language/errors',
    operation,
    expected: 'a metric without mistakes',
    actual: `${name}, which has some`,
    remedy: 'Mend what is marked first.',
  });
}
