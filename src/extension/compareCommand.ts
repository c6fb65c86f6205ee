import * as vscode from 'vscode';
import { plainLine } from '../base/plainText.ts';
import { formatChange, formatPerplexity } from '../experiment/format.ts';
import type { EvaluationRecord } from '../runs/evaluationRecord.ts';
import type { Evaluator, Target } from './evaluator.ts';
import type { Outlines } from './outlines.ts';
import type { RecordBooks } from './recordBooks.ts';
import { sparsityText } from './structureText.ts';
import { plainItems } from './messages.ts';

export interface CompareCommandParts {
  readonly outlines: Outlines;
  readonly evaluator: Evaluator;
  readonly records: RecordBooks;
  readonly evaluate: (target: Target) => Promise<unknown>;
}

/** *Compare*: evaluates a metric and others of its file, and lists what came out, best first. */
export class CompareCommand {
  private readonly parts: CompareCommandParts;

  constructor(parts: CompareCommandParts) {
    this.parts = parts;
  }

  async compare({ uri, name }: Target): Promise<void> {
    const others = this.parts.outlines
      .evaluable(uri)
      .filter((each) => each.kind === 'metric' && each.evaluable && each.name !== name)
      .map((each) => ({ label: each.name }));
    const chosen = await vscode.window.showQuickPick(others, {
      canPickMany: true,
      title: `Compare ${name} with`,
      placeHolder: others.length === 0 ? 'This file has no other metric' : 'Metrics of this file; each is evaluated',
    });
    if (!chosen || chosen.length === 0) return;
    const names = [name, ...chosen.map(({ label }) => label)];
    const began = new Date().toISOString();
    // They wait for each other; progress and failures are told as for any evaluation.
    await Promise.all(names.map((each) => this.parts.evaluate({ uri, name: each })));
    await this.show(uri, names, began);
  }

  private async show(uri: string, names: readonly string[], since: string): Promise<void> {
    const records = await this.recordsOf(uri, names, since);
    if (records.length === 0) return;
    const items = records.map(({ result }) => ({
      label: `${formatPerplexity(result.perplexity)}  ${result.metric}`,
      description: `${formatChange(result.perplexity, result.densePerplexity)} against dense, ${formatPerplexity(result.densePerplexity)} · ${sparsityText(result.sparsity)}`,
      detail: result.expression,
      name: result.metric,
    }));
    const chosen = await vscode.window.showQuickPick(plainItems(items), {
      title: `Compared on ${plainLine(records[0]!.text)}: lower is better`,
      placeHolder: 'Choose one to go there',
    });
    const declaration = chosen && this.parts.outlines.find({ uri, name: chosen.name });
    if (!declaration) return;
    const { start, end } = declaration.nameRange;
    const selection = new vscode.Range(start.line, start.character, end.line, end.character);
    await vscode.window.showTextDocument(vscode.Uri.parse(uri), { selection });
  }

  /** What was evaluated since, best first; of a metric that failed there is nothing. */
  private async recordsOf(uri: string, names: readonly string[], since: string): Promise<EvaluationRecord[]> {
    const find = (): EvaluationRecord[] =>
      this.parts.records
        .of(vscode.Uri.parse(uri).fsPath)
        .filter(({ savedAt, result }) => savedAt >= since && names.includes(result.metric));
    const end = Date.now() + PATIENCE;
    const isKept = (name: string): boolean =>
      this.parts.evaluator.failureOf({ uri, name }) !== undefined ||
      find().some(({ result }) => result.metric === name);
    // An evaluation ends a moment before its result is kept.
    while (!names.every(isKept) && Date.now() < end) await new Promise((resolve) => setTimeout(resolve, 50));
    return find().sort((a, b) => order(a) - order(b));
  }
}

/** Milliseconds that a result may take from its evaluation into the records. */
const PATIENCE = 2000;

/** Sparsity first: unlike numbers do not stand between each other. */
function order({ result }: EvaluationRecord): number {
  const { sparsity, perplexity } = result;
  const group =
    sparsity === undefined ? 0 : sparsity.kind === 'unstructured' ? sparsity.share : 1 + sparsity.keep / sparsity.of;
  return group * 1e12 + Math.min(perplexity, 1e11);
}
