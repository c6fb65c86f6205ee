import path from 'node:path';
import * as vscode from 'vscode';
import type { EvaluationPlan } from '../../experiment/planSchema.ts';
import {
  DEFAULT_RECOVERY_SETTINGS,
  RECOVERY_METHODS,
  RECOVERY_METHOD_NAMES,
  RECOVERY_SETTINGS,
} from '../../experiment/recovery.ts';
import type { Recovery, RecoveryMethod } from '../../experiment/recovery.ts';
import { inputName } from '../../experiment/hubName.ts';
import { rangeText } from '../../experiment/settingRow.ts';
import { recoveryPlanOf } from '../../search/recovery/plan.ts';
import type { RecoveryPlan } from '../../search/recovery/plan.ts';
import { iconFree, plainItems } from '../messages.ts';
import type { Outlines } from '../outlines.ts';
import { chosenEvaluation, evaluableTarget } from './chosenEvaluation.ts';
import { labelOf } from './evaluationLabel.ts';

export interface ResultRecoveryParts {
  readonly outlines: Outlines;
  /** Makes a run of it, drives it, and shows it. @param document the `.prune` file, absolute */
  readonly begin: (plan: RecoveryPlan, document: string) => Promise<void>;
  readonly tell: (what: string, error: unknown) => void;
}

/** *Recover…* for a metric or experiment of a file: asks what is trained, for how long and on which text, and begins a run. */
export class ResultRecovery {
  private readonly parts: ResultRecoveryParts;

  constructor(parts: ResultRecoveryParts) {
    this.parts = parts;
  }

  /** @param argument the lens's or hover's target; from the palette the declaration at the cursor is meant */
  async recover(argument: unknown): Promise<void> {
    const { outlines, begin, tell } = this.parts;
    const target = await evaluableTarget(argument, outlines);
    if (!target) return;
    try {
      const chosen = await chosenEvaluation(target.name, await outlines.plans(target), {
        action: 'Recover',
        fits: () => true,
        expected: 'something that prunes',
        remedy: 'Give the experiment a sparsity and something to prune by.',
      });
      const plan = chosen && (await askRecovery(chosen));
      if (plan) await begin(plan, vscode.Uri.parse(target.uri).fsPath);
    } catch (error) {
      tell(`Recovering ${target.name} failed`, error);
    }
  }
}

/** What the file says is what is offered first. */
async function askRecovery(plan: EvaluationPlan): Promise<RecoveryPlan | undefined> {
  const evaluation = plan.evaluations[0]!;
  const said: Recovery = { method: 'lora', ...DEFAULT_RECOVERY_SETTINGS, ...evaluation.recovery };
  const title = `Recover ${iconFree(labelOf(evaluation))}`;
  const method = await askMethod(title, said.method);
  if (!method) return undefined;
  const steps = await askSteps(title, said.steps);
  if (steps === undefined) return undefined;
  const train = await askText(title, plan);
  if (train === undefined) return undefined;
  return recoveryPlanOf({ ...plan, train }, { ...said, method, steps });
}

async function askMethod(title: string, said: RecoveryMethod): Promise<RecoveryMethod | undefined> {
  const names = [said, ...RECOVERY_METHOD_NAMES.filter((name) => name !== said)];
  const items = names.map((method) => {
    const { title: label, documentation: detail } = RECOVERY_METHODS[method];
    return { label, detail, method };
  });
  return (await vscode.window.showQuickPick(items, { title: `${title} (1 of 3)`, placeHolder: 'What is trained' }))
    ?.method;
}

async function askSteps(title: string, said: number): Promise<number | undefined> {
  const row = RECOVERY_SETTINGS.steps;
  const isRight = (text: string): boolean => {
    const value = Number(text);
    return /^\d+$/.test(text.trim()) && value >= row.minimum && value <= row.maximum;
  };
  const typed = await vscode.window.showInputBox({
    title: `${title} (2 of 3)`,
    prompt: 'Steps at most; it ends earlier when the held-out text says so, and the best state is kept',
    value: String(said),
    validateInput: (text) => (isRight(text) ? undefined : `Expected ${rangeText(row)}`),
  });
  return typed === undefined ? undefined : Number(typed);
}

/** The end of the text is held out of training, unless the file names another for that. */
async function askText(
  title: string,
  { model, train, calibration, text }: EvaluationPlan,
): Promise<string | undefined> {
  const offered = [
    ...(train === undefined ? [] : [{ file: train, description: 'what the file trains on' }]),
    ...(calibration === undefined || calibration === train
      ? []
      : [{ file: calibration, description: 'the calibration text' }]),
  ];
  const items = offered.map(({ file, description }) => ({ label: inputName(file), description, file }));
  const another = { label: 'Another text…', description: 'text, data set or instruction pairs', file: undefined };
  const chosen = await vscode.window.showQuickPick(plainItems([...items, another]), {
    title: `${title} (3 of 3)`,
    placeHolder: 'The text to train on: not the one that the perplexity is taken on',
  });
  if (!chosen || chosen.file !== undefined) return chosen?.file;
  const [picked] =
    (await vscode.window.showOpenDialog({
      title: `${title}: the text to train on`,
      openLabel: 'Train on It',
      defaultUri: vscode.Uri.file(path.dirname(train ?? calibration ?? text ?? model)),
    })) ?? [];
  return picked?.fsPath;
}
