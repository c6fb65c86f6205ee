import { resolve } from 'node:path';
import { EspalierError } from '../base/errors.ts';
import { DEFAULT_SETTINGS } from '../experiment/settings.ts';
import { weightEvaluations } from '../experiment/planned.ts';
import type { EvaluationPlan, PlannedEvaluation } from '../experiment/plan.ts';
import { DEFAULT_SPARSITY } from '../experiment/sparsity.ts';
import type { Sparsity } from '../experiment/sparsity.ts';
import type { Expression } from '../metric/expression.ts';
import type { SettingOverrides } from './settingFlags.ts';

/** What the flags of `espalier evaluate` say, apart from the file. Paths are as typed. */
export interface PlanFlags {
  readonly model?: string;
  readonly text?: string;
  readonly calibration?: string;
  readonly expressions: readonly NamedExpression[];
  readonly sparsities: readonly Sparsity[];
  readonly settings: SettingOverrides;
}

export interface NamedExpression {
  readonly metric: string;
  readonly expression: Expression;
}

/** The plan of a command line without a file. @param folder what relative paths start from */
export function planOfFlags(flags: PlanFlags, folder: string): EvaluationPlan {
  if (flags.model === undefined) throw missingFlag('--model', 'a checkpoint folder');
  if (flags.text === undefined) throw missingFlag('--text', 'the text to evaluate on');
  const sparsities = flags.sparsities.length > 0 ? flags.sparsities : [DEFAULT_SPARSITY];
  return {
    model: resolve(folder, flags.model),
    text: resolve(folder, flags.text),
    ...(flags.calibration === undefined ? {} : { calibration: resolve(folder, flags.calibration) }),
    evaluations: cross(flags.expressions, sparsities),
    settings: { ...DEFAULT_SETTINGS, ...flags.settings },
  };
}

/** A file's plans with the flags laid over them; plans that then share everything are joined, so that work is shared too. */
export function overridePlans(plans: readonly EvaluationPlan[], flags: PlanFlags, folder: string): EvaluationPlan[] {
  return joinPlans(plans.map((plan) => overridePlan(plan, flags, folder)));
}

function overridePlan(plan: EvaluationPlan, flags: PlanFlags, folder: string): EvaluationPlan {
  return {
    ...plan,
    ...(flags.model === undefined ? {} : { model: resolve(folder, flags.model) }),
    ...(flags.text === undefined ? {} : { text: resolve(folder, flags.text) }),
    ...(flags.calibration === undefined ? {} : { calibration: resolve(folder, flags.calibration) }),
    evaluations: flags.sparsities.length === 0 ? plan.evaluations : cross(weightEvaluations(plan), flags.sparsities),
    settings: { ...plan.settings, ...flags.settings },
  };
}

/** Every metric at every sparsity; a metric that stands there at several sparsities already counts once. */
function cross(metrics: readonly NamedExpression[], sparsities: readonly Sparsity[]): PlannedEvaluation[] {
  const distinct = new Map(
    metrics.map(({ metric, expression }) => [JSON.stringify([metric, expression]), { metric, expression }]),
  );
  return [...distinct.values()].flatMap((metric) => sparsities.map((sparsity) => ({ ...metric, sparsity })));
}

function joinPlans(plans: readonly EvaluationPlan[]): EvaluationPlan[] {
  const joined = new Map<string, EvaluationPlan>();
  for (const plan of plans) {
    const { evaluations, ...inputs } = plan;
    const key = JSON.stringify([
      inputs.model,
      inputs.text,
      inputs.calibration,
      inputs.settings,
      evaluations.length > 0,
    ]);
    const known = joined.get(key)?.evaluations ?? [];
    const seen = new Set(known.map((evaluation) => JSON.stringify(evaluation)));
    joined.set(key, { ...plan, evaluations: [...known, ...evaluations.filter((e) => !seen.has(JSON.stringify(e)))] });
  }
  return [...joined.values()];
}

function missingFlag(flag: string, what: string): EspalierError {
  return new EspalierError({
    code: 'cli/usage',
    operation: 'reading the command line',
    expected: `${flag} with ${what}`,
    actual: `no ${flag}`,
    remedy: 'Add it, or name a .prune file that says it; `espalier evaluate --help` shows both.',
  });
}
