import * as vscode from 'vscode';
import type { Evaluator } from './evaluator.ts';
import type { Outlines } from './outlines.ts';

/** **Evaluate** above every metric and experiment that can be evaluated, **Cancel** while it is; **Tree** above every metric. */
export class CodeLenses implements vscode.CodeLensProvider {
  private readonly changed = new vscode.EventEmitter<void>();
  readonly onDidChangeCodeLenses = this.changed.event;
  private readonly outlines: Outlines;
  private readonly evaluator: Evaluator;

  constructor(outlines: Outlines, evaluator: Evaluator) {
    this.outlines = outlines;
    this.evaluator = evaluator;
  }

  refresh(): void {
    this.changed.fire();
  }

  provideCodeLenses(document: vscode.TextDocument): vscode.CodeLens[] {
    const uri = document.uri.toString();
    return this.outlines.evaluable(uri).flatMap(({ kind, name, evaluable, range: { start } }) => {
      const isActive = this.evaluator.activityOf({ uri, name }) !== undefined;
      const line = aboveDocComment(document, start.line);
      const place = new vscode.Range(line, 0, line, 0);
      const command = isActive
        ? { title: 'Cancel', tooltip: `Cancel the evaluation of ${name}`, command: 'espalier.cancel' }
        : {
            title: 'Evaluate',
            tooltip: `Prune with ${name} and evaluate the perplexity`,
            command: 'espalier.evaluate',
          };
      const tree = { title: 'Tree', tooltip: `Show the syntax tree of ${name}`, command: 'espalier.showTree' };
      const commands = [...(evaluable || isActive ? [command] : []), ...(kind === 'metric' ? [tree] : [])];
      return commands.map((each) => new vscode.CodeLens(place, { ...each, arguments: [{ uri, name }] }));
    });
  }
}

/** A lens stands above what documents the declaration, not between the two. */
function aboveDocComment(document: vscode.TextDocument, line: number): number {
  let first = Math.min(line, document.lineCount - 1);
  while (
    first > 0 &&
    document
      .lineAt(first - 1)
      .text.trimStart()
      .startsWith('///')
  )
    first--;
  return first;
}
