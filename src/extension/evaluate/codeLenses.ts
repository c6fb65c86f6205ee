import * as vscode from 'vscode';
import type { SearchKind, SearchMethod } from '../../search/kinds.ts';
import { DEFAULT_SEARCH_METHOD, SEARCH_METHODS } from '../../search/methods.ts';
import type { Evaluator } from './evaluator.ts';
import type { OutlineDeclaration } from '../../language/server/messages.ts';
import type { Outlines } from '../outlines.ts';

/**
 * What can be done with a declaration, above it: **Evaluate** (**Cancel** while it runs), **Tree**, **Compare** and **Evolve from here**
 * for a metric, **Evaluate** for an experiment, **Try it…** for both, **Evolve** or **Search** for a search.
 */
export class CodeLenses implements vscode.CodeLensProvider {
  private readonly changed = new vscode.EventEmitter<void>();
  readonly onDidChangeCodeLenses = this.changed.event;
  private readonly outlines: Outlines;
  private readonly evaluator: Evaluator;
  private shown = '';

  constructor(outlines: Outlines, evaluator: Evaluator) {
    this.outlines = outlines;
    this.evaluator = evaluator;
  }

  /** Asks for the lenses again where they are others: a lens that is replaced under the mouse cannot be clicked. */
  refresh(): void {
    const active = this.evaluator.active.map(({ target: { uri, name } }) => `${uri}#${name}`);
    const shown = JSON.stringify([this.outlines.revision, active]);
    if (shown === this.shown) return;
    this.shown = shown;
    this.changed.fire();
  }

  provideCodeLenses(document: vscode.TextDocument): vscode.CodeLens[] {
    const uri = document.uri.toString();
    const declarations = [...this.outlines.evaluable(uri), ...this.outlines.searches(uri)];
    return declarations.flatMap((declaration) => {
      const line = aboveDocComment(document, declaration.range.start.line);
      const place = new vscode.Range(line, 0, line, 0);
      return this.commandsFor(uri, declaration).map((command) => new vscode.CodeLens(place, command));
    });
  }

  private commandsFor(uri: string, { kind, name, evaluable, runnable, method }: OutlineDeclaration): vscode.Command[] {
    const command = (title: string, tooltip: string, id: string, target: object = { uri, name }): vscode.Command => ({
      title,
      tooltip,
      command: `espalier.${id}`,
      arguments: [target],
    });
    if (kind === 'search') return runnable === true ? [command(...searchLens(name, method), 'evolve')] : [];
    const isActive = this.evaluator.activityOf({ uri, name }) !== undefined;
    const evaluate = isActive
      ? [command('Cancel', `Cancel the evaluation of ${name}`, 'cancel')]
      : evaluable
        ? [command('Evaluate', `Prune with ${name} and evaluate the perplexity`, 'evaluate')]
        : [];
    const ask = evaluable
      ? [command('Try it…', `Ask the dense model and what ${name} makes of it, side by side`, 'tryIt')]
      : [];
    if (kind !== 'metric') return [...evaluate, ...ask];
    const tree = command('Tree', `Show the syntax tree of ${name}`, 'showTree');
    const more = evaluable
      ? [
          command('Compare', `Evaluate ${name} and others of this file, side by side`, 'compare'),
          command('Evolve from here', `Search for better metrics, from ${name}`, 'evolve', { uri, from: name }),
        ]
      : [];
    return [...evaluate, tree, ...more, ...ask];
  }
}

/** Title and tooltip: metrics evolve, rates and masks are searched for. */
function searchLens(
  name: string,
  method: SearchMethod = DEFAULT_SEARCH_METHOD,
): readonly [title: string, tooltip: string] {
  const what: Readonly<Record<SearchKind, readonly [title: string, what: string]>> = {
    metrics: ['Evolve', 'metrics'],
    rates: ['Search', 'pruning rates of the blocks'],
    masks: ['Search', 'the heads and channels that stay'],
  };
  const [title, found] = what[SEARCH_METHODS[method].finds];
  return [title, `Search for ${found} as ${name} says`];
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
