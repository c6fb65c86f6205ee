import path from 'node:path';
import * as vscode from 'vscode';
import { EspalierError } from '../../base/errors.ts';
import type { EvaluationPlan, PlannedEvaluation } from '../../experiment/plan.ts';
import type { Target } from '../evaluator.ts';
import type { Outlines } from '../outlines.ts';
import { sparsityText } from '../structureText.ts';
import type { ModelExport } from './exportModel.ts';

export interface ResultExportParts {
  readonly outlines: Outlines;
  readonly modelExport: ModelExport;
  readonly tell: (what: string, error: unknown) => void;
}

/** *Export Pruned Model…* for a metric or experiment of a file: asks which of its evaluations is meant where there are several. */
export class ResultExport {
  private readonly parts: ResultExportParts;

  constructor(parts: ResultExportParts) {
    this.parts = parts;
  }

  /** @param argument the lens's or hover's target; from the palette the declaration at the cursor is meant */
  async export(argument: unknown): Promise<void> {
    const target = isTarget(argument) ? argument : this.atCursor();
    if (!target) return;
    try {
      const plans = await this.parts.outlines.plans(target);
      const chosen = await pick(target.name, plans);
      if (chosen) await this.parts.modelExport.run(chosen, path.dirname(chosen.model));
    } catch (error) {
      this.parts.tell(`Exporting ${target.name} failed`, error);
    }
  }

  private atCursor(): Target | undefined {
    const editor = vscode.window.activeTextEditor;
    if (editor?.document.languageId !== 'prune') return undefined;
    const uri = editor.document.uri.toString();
    const { line } = editor.selection.active;
    const here = this.parts.outlines
      .evaluable(uri)
      .find(({ range, evaluable }) => evaluable && range.start.line <= line && line <= range.end.line);
    if (here) return { uri, name: here.name };
    void vscode.window.showInformationMessage(
      'Put the cursor into a metric or experiment first: what it prunes is exported.',
    );
    return undefined;
  }
}

/** A plan with the one evaluation that is meant; undefined where none is chosen. */
async function pick(name: string, plans: readonly EvaluationPlan[]): Promise<EvaluationPlan | undefined> {
  const all = plans.flatMap((plan) => plan.evaluations.map((evaluation) => ({ ...plan, evaluations: [evaluation] })));
  if (all.length <= 1) return all[0] ?? nothingPruned(name);
  const items = all.map((plan) => ({
    label: labelOf(plan.evaluations[0]!),
    description: path.basename(plan.model),
    plan,
  }));
  const chosen = await vscode.window.showQuickPick(items, {
    title: `Export ${name}`,
    placeHolder: 'Which pruned model?',
  });
  return chosen?.plan;
}

function labelOf({ metric, sparsity }: PlannedEvaluation): string {
  return `${metric} at ${sparsityText(sparsity)}`;
}

function nothingPruned(name: string): never {
  throw new EspalierError({
    code: 'settings/invalid',
    operation: `exporting ${name}`,
    expected: 'something that prunes',
    actual: 'the dense model alone',
    remedy: 'Give the experiment a sparsity and something to prune by.',
  });
}

function isTarget(argument: unknown): argument is Target {
  const { uri, name } = (argument ?? {}) as Partial<Record<keyof Target, unknown>>;
  return typeof uri === 'string' && typeof name === 'string';
}
