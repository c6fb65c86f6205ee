import path from 'node:path';
import * as vscode from 'vscode';
import { markdownTable } from '../../base/markdownTable.ts';
import { cancelledError, toErrorData } from '../../base/errors.ts';
import type { ErrorData } from '../../base/errors.ts';
import { formatChange, formatPerplexity } from '../../experiment/format.ts';
import { withText } from '../../experiment/planInputs.ts';
import type { EvaluationPlan, TextPlan } from '../../experiment/planSchema.ts';
import type { CheckpointSummary, EvaluationResult } from '../../experiment/resultSchema.ts';
import { sensitivities, sensitivityPlan, SENSITIVITY_SHARES } from '../../experiment/sensitivity.ts';
import type { Sensitivity, SensitivityBy } from '../../experiment/sensitivity.ts';
import type { Ask, RequestHooks } from '../../protocol/requests.ts';
import { sensitivityFigure } from '../../report/figures/sensitivityFigure.ts';
import { signalOf } from '../cancellation.ts';
import type { Target } from '../evaluate/evaluator.ts';
import { withNotification } from '../messages.ts';
import { showFailure } from '../notifications.ts';
import { saveFigure } from '../saveFigure.ts';

export interface SensitivityParts {
  /** What the target means now, its files at hand. */
  readonly plansOf: (target: Target, signal: AbortSignal) => Promise<readonly EvaluationPlan[]>;
  readonly describe: (model: string) => Promise<CheckpointSummary>;
  readonly confirm: (target: Target, plan: EvaluationPlan, hooks: RequestHooks) => Promise<boolean>;
  readonly evaluate: Ask<'evaluate'>;
}

const CHOICES: readonly { readonly label: string; readonly detail: string; readonly by: SensitivityBy }[] = [
  { label: 'Blocks', detail: 'each block alone, all else dense', by: 'blocks' },
  { label: 'Types of layers', detail: 'q_proj, k_proj, … alone, in all blocks', by: 'layers' },
];

/** *Sensitivity…*: prunes one part after the other by a metric, shows a table, and saves the chart where it is asked to. */
export async function showSensitivity(target: Target, parts: SensitivityParts): Promise<void> {
  const chosen = await vscode.window.showQuickPick(CHOICES, {
    title: `Espalier: Sensitivity to ${target.name}`,
    placeHolder: 'What is pruned alone',
  });
  if (!chosen) return;
  try {
    const found = await withNotification(`Sensitivity to ${target.name}`, (progress, token) =>
      evaluateParts(target, chosen.by, parts, {
        signal: signalOf(token),
        onProgress: ({ detail }) => {
          progress.report({ message: detail });
        },
      }),
    );
    const document = await vscode.workspace.openTextDocument({ language: 'markdown', content: tableOf(found) });
    await vscode.window.showTextDocument(document, { preview: false });
    const folder = path.dirname(vscode.Uri.parse(target.uri).fsPath);
    await saveFigure(sensitivityFigure(found), folder, `${chosen.by}-sensitivity`);
  } catch (thrown) {
    const error = toErrorData(thrown, 'taking the sensitivity');
    if (error.code !== 'cancelled') showFailure(`Sensitivity to ${target.name}`, error, {});
  }
}

async function evaluateParts(
  target: Target,
  by: SensitivityBy,
  { plansOf, describe, confirm, evaluate }: SensitivityParts,
  hooks: RequestHooks,
): Promise<Sensitivity> {
  const [first] = await plansOf(target, hooks.signal!);
  const asked = atShares(withText(first!, 'taking the sensitivity'));
  const model = await describe(asked.model);
  const plan = sensitivityPlan(asked, by, model);
  if (!(await confirm(target, plan, hooks))) throw cancelledError('taking the sensitivity');
  const outcomes: (EvaluationResult | ErrorData)[] = [];
  let failed = 0;
  const results = await evaluate(plan, {
    ...hooks,
    onFailure: (error, index) => {
      outcomes[index] = error;
      failed++;
    },
  });
  // Results are in the order of what did not fail.
  const rest = [...results];
  for (let index = 0; index < results.length + failed; index++) outcomes[index] ??= rest.shift()!;
  return sensitivities(asked, by, model, outcomes)[0]!;
}

/** The metric at the sparsities of a curve, whatever it is evaluated at otherwise. */
function atShares(plan: TextPlan): TextPlan {
  const [evaluation] = plan.evaluations;
  return {
    ...plan,
    evaluations: SENSITIVITY_SHARES.map((share) => ({ ...evaluation!, sparsity: { kind: 'unstructured', share } })),
  };
}

function tableOf({ metric, by, parts, dense, curves }: Sensitivity): string {
  const columns = [by === 'blocks' ? 'block' : 'layers', ...curves.map(({ sparsity }) => sparsity)];
  const rows = parts.map((part, i) => [
    `\`${part}\``,
    ...curves.map(({ points }) => {
      const point = points[i]!;
      if ('failure' in point) return 'failed';
      return `${formatPerplexity(point.perplexity)} (${formatChange(point.perplexity, dense)})`;
    }),
  ]);
  const table = markdownTable(
    columns.map((title, i) => ({ title, isNumber: i > 0 })),
    rows,
  );
  const alone = by === 'blocks' ? 'each block alone' : 'the layers of each type alone';
  return `Perplexity with ${alone} pruned by \`${metric.replaceAll('`', '')}\`; dense ${formatPerplexity(dense)}\n\n${table}\n`;
}
