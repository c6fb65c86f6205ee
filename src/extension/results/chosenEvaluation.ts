import * as vscode from 'vscode';
import { EspalierError } from '../../base/errors.ts';
import type { EvaluationPlan, PlannedEvaluation } from '../../experiment/planSchema.ts';
import type { Target } from '../evaluate/evaluator.ts';
import type { Outlines } from '../outlines.ts';
import { isInside, pruneFile } from '../pruneFile.ts';
import { plainItems, tellInformation } from '../messages.ts';
import { inputName } from '../../experiment/hubName.ts';
import { labelOf } from './evaluationLabel.ts';

export interface EvaluationChoice {
  /** `Export`: what is done with what is chosen. */
  readonly action: string;
  /** Which evaluations it can be done with. */
  readonly fits: (evaluation: PlannedEvaluation) => boolean;
  /** Where none of them does: what is expected, and what to do. */
  readonly expected: string;
  readonly remedy: string;
}

/** The metric or experiment of a lens, a hover, or at the cursor; undefined, which is said, where there is none. */
export async function evaluableTarget(argument: unknown, outlines: Outlines): Promise<Target | undefined> {
  if (isTarget(argument)) return argument;
  const file = await pruneFile();
  if (!file) return undefined;
  const { uri, line } = file;
  const here = outlines.evaluable(uri).find(({ range, evaluable }) => evaluable && isInside(line, range));
  if (here) return { uri, name: here.name };
  void tellInformation('Put the cursor into a metric or experiment first: it is about what that prunes.');
  return undefined;
}

/**
 * A plan with the one evaluation that is meant, which is asked for where there are several; undefined where none is chosen.
 *
 * @throws EspalierError where none fits
 */
export async function chosenEvaluation(
  name: string,
  plans: readonly EvaluationPlan[],
  { action, fits, expected, remedy }: EvaluationChoice,
): Promise<EvaluationPlan | undefined> {
  const all = plans.flatMap((plan) =>
    plan.evaluations.filter(fits).map((evaluation) => ({ ...plan, evaluations: [evaluation] })),
  );
  if (all.length === 0)
    throw new EspalierError({
      code: 'settings/invalid',
      operation: `${action}: ${name}`,
      expected,
      actual: plans.some(({ evaluations }) => evaluations.length > 0)
        ? 'single weights alone'
        : 'the dense model alone',
      remedy,
    });
  if (all.length === 1) return all[0];
  const items = all.map((plan) => ({
    label: labelOf(plan.evaluations[0]!),
    description: inputName(plan.model),
    plan,
  }));
  const chosen = await vscode.window.showQuickPick(plainItems(items), {
    title: `${action} ${name}`,
    placeHolder: 'Which pruned model?',
  });
  return chosen?.plan;
}

function isTarget(argument: unknown): argument is Target {
  const { uri, name } = (argument ?? {}) as Partial<Record<keyof Target, unknown>>;
  return typeof uri === 'string' && typeof name === 'string';
}
