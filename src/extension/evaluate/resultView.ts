import path from 'node:path';
import * as vscode from 'vscode';
import { plannedKey } from '../../runs/evaluationRecord.ts';
import type { EvaluationRecord } from '../../runs/evaluationRecord.ts';
import type { SpeedMeasurement } from '../../experiment/speedTable.ts';
import { annotate } from './annotations.ts';
import type { DeclarationView, PlannedView } from './annotations.ts';
import { chosenForm } from '../configuration.ts';
import { SYSTEM_CLOCK } from '../../base/clock.ts';
import { Decorations } from './decorations.ts';
import type { Evaluator, Target } from './evaluator.ts';
import type { InputHashes } from './inputHashes.ts';
import type { Outlines } from '../outlines.ts';
import type { RecordBooks } from './recordBooks.ts';
import { withRelativePaths } from '../workspacePaths.ts';

export interface ResultViewParts {
  readonly outlines: Outlines;
  readonly records: RecordBooks;
  readonly hashes: InputHashes;
  readonly evaluator: Evaluator;
  /** What was measured of a result in this window. */
  readonly speedOf: (record: EvaluationRecord) => SpeedMeasurement | undefined;
}

/** Redrawing is put off by this many milliseconds, so that a burst of changes is drawn once. */
const DELAY = 30;
/** Inputs watched for changes at most; the window's focus makes up for the others. */
const MOST_WATCHERS = 64;

/** Shows beside the lines of every visible `.prune` file what its metrics and experiments came to. */
export class ResultView implements vscode.Disposable {
  private readonly parts: ResultViewParts;
  private readonly decorations = new Decorations();
  private readonly watchers = new Map<string, vscode.FileSystemWatcher>();
  private withdrawRefresh: (() => void) | undefined;
  private withdrawLook: (() => void) | undefined;

  constructor(parts: ResultViewParts) {
    this.parts = parts;
  }

  /** Draws anew, soon. */
  refresh(): void {
    this.withdrawRefresh ??= SYSTEM_CLOCK.after(DELAY, () => {
      this.withdrawRefresh = undefined;
      for (const editor of visibleEditors()) this.draw(editor);
    });
  }

  /** Asks anew, soon, what the documents mean and whether the inputs of their results are as they were. */
  look(): void {
    this.withdrawLook?.();
    this.withdrawLook = SYSTEM_CLOCK.after(DELAY, () => {
      this.withdrawLook = undefined;
      for (const { document } of visibleEditors()) {
        const { records, root } = this.recordsOf(document);
        void this.parts.outlines.learnPlans(this.targetsOf(document, records));
        void this.parts.hashes.look(records, root);
        // As with their hashes: without trust, nothing that a record names is touched.
        if (vscode.workspace.isTrusted) for (const record of records) this.watch(record, root);
      }
    });
  }

  dispose(): void {
    this.withdrawRefresh?.();
    this.withdrawLook?.();
    this.decorations.dispose();
    for (const watcher of this.watchers.values()) watcher.dispose();
  }

  private draw(editor: vscode.TextEditor): void {
    const { outlines, evaluator, hashes, speedOf } = this.parts;
    const uri = editor.document.uri.toString();
    if (!outlines.has(uri)) return;
    const { records, root } = this.recordsOf(editor.document);
    const declarations = outlines.evaluable(uri).flatMap(({ kind, name, nameRange }): DeclarationView[] => {
      const target = { uri, name };
      const plans = outlines.knownPlans(target);
      const activity = evaluator.activityOf(target);
      const failure = evaluator.failureOf(target);
      if (plans === 'unknown' && !activity && !failure) return [];
      return [
        {
          kind,
          name,
          line: nameRange.start.line,
          planned: typeof plans === 'string' ? undefined : plans.flatMap((plan) => plannedViews(plan, root)),
          ...(activity && { activity }),
          ...(failure && { failure: withRelativePaths(failure) }),
        },
      ];
    });
    this.decorations.show(
      editor,
      annotate({ declarations, records, freshness: (record) => hashes.freshness(record, root), speedOf }),
      { form: chosenForm(), editors: vscode.window.tabGroups.all.length },
    );
  }

  private recordsOf(document: vscode.TextDocument): { records: readonly EvaluationRecord[]; root: string } {
    const file = document.uri.fsPath;
    return { records: this.parts.records.of(file), root: this.parts.records.rootOf(file) };
  }

  /** Experiments, and those metrics that have a result: what the others would evaluate is of no interest yet. */
  private targetsOf(document: vscode.TextDocument, records: readonly EvaluationRecord[]): Target[] {
    const uri = document.uri.toString();
    const evaluated = new Set(records.map(({ result }) => metricName(result.metric)));
    return this.parts.outlines
      .evaluable(uri)
      .filter(({ kind, name }) => kind === 'experiment' || evaluated.has(name))
      .map(({ name }) => ({ uri, name }));
  }

  private watch({ model, text, calibration, gradients, train, validate }: EvaluationRecord, root: string): void {
    const texts = [text, calibration, gradients, train, validate].filter((file) => file !== undefined);
    for (const file of [path.join(model, '*'), ...texts]) {
      const absolute = path.resolve(root, file);
      if (this.watchers.has(absolute) || this.watchers.size >= MOST_WATCHERS) continue;
      const pattern = new vscode.RelativePattern(vscode.Uri.file(path.dirname(absolute)), path.basename(absolute));
      const watcher = vscode.workspace.createFileSystemWatcher(pattern);
      const look = (): void => {
        this.look();
      };
      watcher.onDidChange(look);
      watcher.onDidCreate(look);
      watcher.onDidDelete(look);
      this.watchers.set(absolute, watcher);
    }
  }
}

function visibleEditors(): readonly vscode.TextEditor[] {
  return vscode.window.visibleTextEditors.filter(
    ({ document }) => document.languageId === 'prune' && document.uri.scheme === 'file',
  );
}

function plannedViews(plan: Parameters<typeof plannedKey>[0], root: string): PlannedView[] {
  if (plan.evaluations.length === 0) return [{ key: plannedKey(plan, undefined, root), metric: 'dense' }];
  return plan.evaluations.map((evaluation) => ({
    key: plannedKey(plan, evaluation, root),
    metric: metricName(evaluation.metric),
  }));
}

/** `scaled` of `scaled(0.5)`: an experiment may give a metric's parameters other values. */
function metricName(label: string): string {
  return label.replace(/( then |\().*$/s, '').trim();
}
