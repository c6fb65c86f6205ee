import path from 'node:path';
import * as vscode from 'vscode';
import { SYSTEM_CLOCK } from '../../base/clock.ts';
import { EspalierError } from '../../base/errors.ts';
import { inputName } from '../../experiment/hubName.ts';
import { planInputs } from '../../experiment/planInputs.ts';
import type { EvaluationPlan } from '../../experiment/planSchema.ts';
import { plannedKey, recordKey } from '../../runs/evaluationRecord.ts';
import type { EvaluationRecord } from '../../runs/evaluationRecord.ts';
import { fallbackFor } from '../configuration.ts';
import type { Target } from '../evaluate/evaluator.ts';
import { plainItems, tellInformation } from '../messages.ts';
import type { Outlines } from '../outlines.ts';
import { chosenEvaluation, evaluableTarget } from '../results/chosenEvaluation.ts';
import { labelOf } from '../results/evaluationLabel.ts';
import { fileInside } from '../workspaceFile.ts';
import { TryPanel } from './tryPanel.ts';
import type { TryPanelParts } from './tryPanel.ts';
import type { TrySubject } from './trySession.ts';
import { denseSubject, trySubject } from './trySubject.ts';

export interface TryItParts extends Omit<TryPanelParts, 'onChoose'> {
  readonly outlines: Outlines;
  /** A plan whose inputs are all here; a person is asked where something has to be fetched. */
  readonly located: (plan: EvaluationPlan) => Promise<EvaluationPlan>;
  readonly tell: (what: string, error: unknown) => void;
}

/** A row of the view of evaluations. */
interface Kept {
  readonly record: EvaluationRecord;
  readonly of: { readonly root: string; readonly document: string };
}

/** Milliseconds until the language has read a file that was opened for it. */
const PATIENCE = 5000;
const PAUSE = 50;

/** *Try it…*: from a metric or experiment, a kept evaluation or a checkpoint to the panel in which dense and pruned models answer side by side. */
export class TryIt implements vscode.Disposable {
  private readonly parts: TryItParts;
  private readonly panel: TryPanel;

  constructor(parts: TryItParts) {
    this.parts = parts;
    this.panel = new TryPanel({ ...parts, onChoose: () => void this.choose() });
  }

  /** @param argument a lens's or hover's target, a row of evaluations, or a checkpoint; from the palette the declaration at the cursor is meant */
  async show(argument: unknown): Promise<void> {
    if (isCheckpoint(argument)) {
      const { settings = {} } = fallbackFor(vscode.Uri.file(argument.folder));
      await this.begin(inputName(argument.folder), false, () =>
        Promise.resolve(denseSubject(argument.folder, settings)),
      );
      return;
    }
    if (isKept(argument)) {
      await this.begin(argument.record.result.metric, false, () => this.keptSubject(argument));
      return;
    }
    const target = await evaluableTarget(argument, this.parts.outlines);
    if (target) await this.begin(target.name, false, () => this.targetSubject(target));
  }

  dispose(): void {
    this.panel.dispose();
  }

  private async begin(name: string, again: boolean, find: () => Promise<TrySubject | undefined>): Promise<void> {
    try {
      const subject = await find();
      if (subject) this.panel.show(subject, again);
    } catch (error) {
      this.parts.tell(`Trying ${name} failed`, error);
    }
  }

  private async targetSubject(target: Target): Promise<TrySubject | undefined> {
    const plans = await this.parts.outlines.plans(target);
    const [dense] = plans;
    // What prunes nothing can be asked, too.
    const plan = plans.some(({ evaluations }) => evaluations.length > 0)
      ? await chosenEvaluation(target.name, plans, {
          action: 'Try',
          fits: () => true,
          expected: 'something that prunes',
          remedy: 'Give the experiment a sparsity and something to prune by.',
        })
      : dense;
    return plan && this.subjectOf(plan);
  }

  /** What it asks beside, files of tasks say, is not looked for. */
  private async subjectOf(plan: EvaluationPlan): Promise<TrySubject> {
    return trySubject(await this.parts.located({ ...planInputs(plan), evaluations: plan.evaluations }));
  }

  /** A record says what was computed, but not how to compute it again: the file does, as far as it still asks for the same. */
  private async keptSubject({ record, of: { root, document } }: Kept): Promise<TrySubject> {
    const { result } = record;
    const file = await fileInside(root, document);
    const targets = file === undefined ? [] : await this.targetsOf(vscode.Uri.file(file));
    for (const plan of await this.plansOf(targets)) {
      const asked = plan.evaluations.length > 0 ? plan.evaluations : [undefined];
      const same = asked.findIndex((evaluation) => plannedKey(plan, evaluation, root) === recordKey(record));
      if (same < 0) continue;
      return this.subjectOf({ ...plan, evaluations: plan.evaluations.slice(same, same + 1) });
    }
    throw new EspalierError({
      code: 'language/no-such-declaration',
      operation: `making ${result.metric} again as it was evaluated`,
      expected: `that ${path.basename(document)} still asks for it`,
      actual: file === undefined ? 'no such file' : 'another question by now',
      remedy: 'Try what the file asks for now, from the metric or experiment there.',
    });
  }

  /** Another result of the files that are open; it is asked the last prompt at once. */
  private async choose(): Promise<void> {
    const { outlines } = this.parts;
    const documents = vscode.workspace.textDocuments.filter(({ languageId }) => languageId === 'prune');
    const targets = documents.flatMap(({ uri }) => targetsIn(outlines, uri.toString()));
    const items = new Map<string, vscode.QuickPickItem & { readonly plan: EvaluationPlan }>();
    for (const target of targets) {
      for (const plan of await this.plansOf([target])) {
        for (const evaluation of plan.evaluations) {
          const key = plannedKey(plan, evaluation, '/');
          const where = `${target.name} · ${path.basename(vscode.Uri.parse(target.uri).fsPath)} · ${inputName(plan.model)}`;
          const item = { label: labelOf(evaluation), description: where, plan: { ...plan, evaluations: [evaluation] } };
          if (!items.has(key)) items.set(key, item);
        }
      }
    }
    if (items.size === 0) {
      void tellInformation('Open a .prune file with an experiment: its results can be asked the same.');
      return;
    }
    const chosen = await vscode.window.showQuickPick(plainItems([...items.values()]), {
      title: 'Ask Another Result',
      placeHolder: 'Which pruned model? It is asked the last prompt, too',
      matchOnDescription: true,
    });
    if (chosen) await this.begin(chosen.label, true, () => this.subjectOf(chosen.plan));
  }

  /** Metrics and experiments of a file, which is opened for that. */
  private async targetsOf(uri: vscode.Uri): Promise<readonly Target[]> {
    await vscode.workspace.openTextDocument(uri);
    const { outlines } = this.parts;
    for (let waited = 0; !outlines.has(uri.toString()) && waited < PATIENCE; waited += PAUSE)
      await new Promise<void>((resolve) => SYSTEM_CLOCK.after(PAUSE, resolve));
    return targetsIn(outlines, uri.toString());
  }

  /** What cannot be planned as it stands is passed over. */
  private async plansOf(targets: readonly Target[]): Promise<readonly EvaluationPlan[]> {
    const { outlines } = this.parts;
    return (await Promise.all(targets.map((target) => outlines.plans(target).catch(() => [])))).flat();
  }
}

/** Experiments first: they say all that an evaluation is made on. */
function targetsIn(outlines: Outlines, uri: string): readonly Target[] {
  const declarations = outlines.evaluable(uri).filter(({ evaluable }) => evaluable);
  const of = (wanted: string): Target[] =>
    declarations.filter(({ kind }) => kind === wanted).map(({ name }) => ({ uri, name }));
  return [...of('experiment'), ...of('metric')];
}

function isCheckpoint(argument: unknown): argument is { readonly folder: string } {
  return typeof (argument as { readonly folder?: unknown } | undefined)?.folder === 'string';
}

function isKept(argument: unknown): argument is Kept {
  const { record, of, standing } = (argument ?? {}) as Partial<Record<'record' | 'of' | 'standing', unknown>>;
  return record !== undefined && of !== undefined && standing !== undefined;
}
