import * as vscode from 'vscode';
import type { EvaluationRecord } from '../../runs/evaluationRecord.ts';
import type { Evaluator, Target } from './evaluator.ts';
import type { Outlines } from '../outlines.ts';
import type { RecordBooks } from './recordBooks.ts';
import { compared } from '../results/comparisonTable.ts';
import type { Comparisons } from '../results/comparisons.ts';
import { metricName } from './updateText.ts';

export interface CompareCommandParts {
  readonly outlines: Outlines;
  readonly evaluator: Evaluator;
  readonly records: RecordBooks;
  readonly comparisons: Comparisons;
  readonly evaluate: (target: Target) => Promise<unknown>;
}

/** *Compare*: evaluates a metric and others of its file, and shows what came out side by side, in a document that stays. */
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
    if (await this.isAnythingKept(uri, names, since)) await this.parts.comparisons.show({ uri, names, since });
  }

  /** Waits for the results: an evaluation ends a moment before its result is kept. Of a metric that failed there is nothing. */
  private async isAnythingKept(uri: string, names: readonly string[], since: string): Promise<boolean> {
    const find = (): readonly EvaluationRecord[] =>
      compared(this.parts.records.of(vscode.Uri.parse(uri).fsPath), names, since);
    const end = Date.now() + PATIENCE;
    const isKept = (name: string): boolean =>
      this.parts.evaluator.failureOf({ uri, name }) !== undefined ||
      find().some(({ result }) => metricName(result.metric) === name);
    while (!names.every(isKept) && Date.now() < end) await new Promise((resolve) => setTimeout(resolve, 50));
    return find().length > 0;
  }
}

/** Milliseconds that a result may take from its evaluation into the records. */
const PATIENCE = 2000;
