import * as vscode from 'vscode';
import type { EvaluationRecord } from '../../runs/evaluationRecord.ts';
import type { RecordBooks } from '../evaluate/recordBooks.ts';
import { metricName } from '../evaluate/updateText.ts';
import { recordsAsBibtex, recordsAsLatex } from '../../report/comparison.ts';
import { comparisonAsCsv } from './comparisonCsv.ts';
import { compared, comparisonTable } from './comparisonTable.ts';
import type { ComparisonOrder } from './comparisonTable.ts';
import { placeOf } from './showDeclaration.ts';

const SCHEME = 'espalier-comparison';

/** What a comparison is of; its address says it all, so that a window that is opened again has it again. */
interface Comparison {
  /** The `.prune` file. */
  readonly uri: string;
  readonly names: readonly string[];
  /** Only results since then, ISO 8601. */
  readonly since: string;
}

/** Comparisons as documents that stay: Markdown to read, to copy and to keep, up to date as long as they are open. */
export class Comparisons
  implements vscode.TextDocumentContentProvider, vscode.CodeLensProvider, vscode.DocumentLinkProvider, vscode.Disposable
{
  private readonly changed = new vscode.EventEmitter<vscode.Uri>();
  readonly onDidChange = this.changed.event;
  private readonly records: RecordBooks;
  private readonly orders = new Map<string, ComparisonOrder>();
  private readonly registrations: readonly vscode.Disposable[];

  constructor(records: RecordBooks) {
    this.records = records;
    const selector = { scheme: SCHEME };
    this.registrations = [
      vscode.workspace.registerTextDocumentContentProvider(SCHEME, this),
      vscode.languages.registerCodeLensProvider(selector, this),
      vscode.languages.registerDocumentLinkProvider(selector, this),
      vscode.commands.registerCommand('espalier.comparison.sort', (uri: vscode.Uri) => {
        this.orders.set(uri.toString(), this.orderOf(uri) === 'metric' ? 'perplexity' : 'metric');
        this.changed.fire(uri);
      }),
      vscode.commands.registerCommand('espalier.comparison.copyCsv', async (uri: vscode.Uri) => {
        await vscode.env.clipboard.writeText(comparisonAsCsv(this.recordsOf(uri)));
        vscode.window.setStatusBarMessage('Espalier: the comparison is in the clipboard', 4000);
      }),
      ...(
        [
          ['Latex', recordsAsLatex],
          ['Bibtex', recordsAsBibtex],
        ] as const
      ).map(([name, written]) =>
        vscode.commands.registerCommand(`espalier.comparison.copy${name}`, async (uri: vscode.Uri) => {
          await vscode.env.clipboard.writeText(written(this.recordsOf(uri), '/'));
          vscode.window.setStatusBarMessage('Espalier: the comparison is in the clipboard', 4000);
        }),
      ),
      vscode.commands.registerCommand('espalier.comparison.copy', async (uri: vscode.Uri) => {
        await vscode.env.clipboard.writeText(this.provideTextDocumentContent(uri));
        vscode.window.setStatusBarMessage('Espalier: the comparison is in the clipboard', 4000);
      }),
    ];
  }

  async show(comparison: Comparison): Promise<void> {
    const title = comparison.names.join(', ').replace(/[^\w, ()-]+/g, ' ');
    const short = title.length > 40 ? `${title.slice(0, 39)}…` : title;
    const uri = vscode.Uri.from({
      scheme: SCHEME,
      // Plain text is not wrapped: columns stay in line however narrow the editor is.
      path: `/Compared: ${short}`,
      query: JSON.stringify(comparison),
    });
    const document = await vscode.workspace.openTextDocument(uri);
    await vscode.window.showTextDocument(document, { preview: false });
  }

  /** There are new results. */
  refresh(): void {
    for (const { uri } of vscode.workspace.textDocuments) if (uri.scheme === SCHEME) this.changed.fire(uri);
  }

  provideTextDocumentContent(uri: vscode.Uri): string {
    if (!comparisonOf(uri)) return 'This is no comparison.\n';
    const records = this.recordsOf(uri);
    if (records.length === 0) return 'None of these metrics has a result yet.\n';
    return `${comparisonTable(records, this.orderOf(uri))}\n`;
  }

  provideCodeLenses({ uri }: vscode.TextDocument): vscode.CodeLens[] {
    const top = new vscode.Range(0, 0, 0, 0);
    const other = this.orderOf(uri) === 'metric' ? 'perplexity' : 'metric';
    return [
      new vscode.CodeLens(top, { title: 'Copy as Markdown', command: 'espalier.comparison.copy', arguments: [uri] }),
      new vscode.CodeLens(top, { title: 'Copy as LaTeX', command: 'espalier.comparison.copyLatex', arguments: [uri] }),
      new vscode.CodeLens(top, { title: 'Copy BibTeX', command: 'espalier.comparison.copyBibtex', arguments: [uri] }),
      new vscode.CodeLens(top, { title: 'Copy as CSV', command: 'espalier.comparison.copyCsv', arguments: [uri] }),
      new vscode.CodeLens(top, { title: `Sort by ${other}`, command: 'espalier.comparison.sort', arguments: [uri] }),
    ];
  }

  /** Every metric leads to where it stands, as far as its file is open. */
  provideDocumentLinks(document: vscode.TextDocument): vscode.DocumentLink[] {
    const comparison = comparisonOf(document.uri);
    const source = vscode.workspace.textDocuments.find(({ uri }) => uri.toString() === comparison?.uri);
    if (!comparison || !source) return [];
    const links: vscode.DocumentLink[] = [];
    for (let line = 0; line < document.lineCount; line++) {
      const found = /^\| `([^`]+)`/.exec(document.lineAt(line).text);
      const name = found && metricName(found[1]!);
      const at = name && comparison.names.includes(name) ? placeOf(source.getText(), name) : undefined;
      if (at === undefined) continue;
      const target = source.uri.with({ fragment: `L${source.positionAt(at).line + 1}` });
      links.push(new vscode.DocumentLink(new vscode.Range(line, 3, line, 3 + found![1]!.length), target));
    }
    return links;
  }

  dispose(): void {
    for (const registration of this.registrations) registration.dispose();
    this.changed.dispose();
  }

  private recordsOf(uri: vscode.Uri): readonly EvaluationRecord[] {
    const comparison = comparisonOf(uri);
    if (!comparison) return [];
    const file = vscode.Uri.parse(comparison.uri).fsPath;
    return compared(this.records.of(file), comparison.names, comparison.since);
  }

  private orderOf(uri: vscode.Uri): ComparisonOrder {
    return this.orders.get(uri.toString()) ?? 'perplexity';
  }
}

/** An address may come from anywhere. */
function comparisonOf({ query }: vscode.Uri): Comparison | undefined {
  try {
    const { uri, names, since } = JSON.parse(query) as Partial<Record<keyof Comparison, unknown>>;
    const isText = (value: unknown): value is string => typeof value === 'string';
    return isText(uri) && isText(since) && Array.isArray(names) && names.every(isText)
      ? { uri, since, names }
      : undefined;
  } catch {
    return undefined;
  }
}
