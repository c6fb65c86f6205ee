import { resolve } from 'node:path';
import type { EspalierError } from '../../base/errors.ts';
import { isStructural } from '../../experiment/planned.ts';
import type { EvaluationPlan, PlannedEvaluation } from '../../experiment/planSchema.ts';
import { DEFAULT_SETTINGS } from '../../experiment/settings.ts';
import { DEFAULT_SPARSITY, printSparsity } from '../../experiment/sparsity.ts';
import type { Sparsity } from '../../experiment/sparsitySchema.ts';
import type { RateAllocation } from '../../experiment/structureSchema.ts';
import { nameWithRates } from '../../experiment/structureNames.ts';
import type { Pruning } from '../../language/check/document.ts';
import { evaluationsAt, needsShare, saysHowMuch } from '../../language/check/prunings.ts';
import { usageError } from '../commands/commandContext.ts';
import type { SettingOverrides } from './settingFlags.ts';
import { requireRatesFor } from './structureFlags.ts';

/** What the flags of `espalier evaluate` say, apart from the file. Paths are as typed. */
export interface PlanFlags {
  readonly model?: string;
  readonly text?: string;
  readonly calibration?: string;
  /** Metrics and structures that are named on the command line. */
  readonly prunings: readonly Pruning[];
  readonly sparsities: readonly Sparsity[];
  readonly rates?: RateAllocation;
  readonly settings: SettingOverrides;
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
    evaluations: evaluationsFor(distinct(flags.prunings.map((pruning) => withRates(pruning, flags.rates))), sparsities),
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
    evaluations: overrideEvaluations(plan.evaluations, flags),
    settings: { ...plan.settings, ...flags.settings },
  };
}

/** What is pruned with at the sparsities and rates that the flags say; the file's own where they say nothing. */
function overrideEvaluations(
  evaluations: readonly PlannedEvaluation[],
  flags: PlanFlags,
): readonly PlannedEvaluation[] {
  const { sparsities, rates } = flags;
  if (sparsities.length === 0 && rates === undefined) return evaluations;
  const prunings = evaluations.map((evaluation) => withRates(pruningOf(evaluation), rates));
  const at = sparsities.length > 0 ? sparsities : evaluations.map(({ sparsity }) => sparsity);
  return evaluationsFor(distinct(prunings), distinct(at));
}

/** Every one at every sparsity. @throws EspalierError where a sparsity or rates make no sense for one of them */
function evaluationsFor(prunings: readonly Pruning[], sparsities: readonly Sparsity[]): readonly PlannedEvaluation[] {
  const pattern = sparsities.find(({ kind }) => kind === 'n:m');
  const whole = prunings.find((pruning) => needsShare(pruning) && !saysHowMuch(pruning));
  if (pattern && whole) {
    throw usageError(
      `a share of the weights for ${whole.label}`,
      printSparsity(pattern),
      'N:M is a pattern of single weights: write --sparsity 30%, or evaluate the two one after the other.',
    );
  }
  return evaluationsAt(prunings, sparsities);
}

/** The rates of the command line in the place of those that something has. */
function withRates(pruning: Pruning, rates: RateAllocation | undefined): Pruning {
  if (rates === undefined) return pruning;
  const suffix = pruning.rates ? nameWithRates('', pruning.rates) : '';
  const label = nameWithRates(pruning.label.slice(0, pruning.label.length - suffix.length), rates);
  if ('score' in pruning) {
    requireRatesFor(pruning.score, rates);
    return { ...pruning, label, rates };
  }
  if (rates.kind === 'global') {
    throw usageError(
      '--allocation global with --structure',
      pruning.label,
      'It compares components: use uniform or owl.',
    );
  }
  const { metric, expression } = pruning;
  return { label, metric, expression, ...(rates.kind !== 'uniform' && { rates }) };
}

function pruningOf(evaluation: PlannedEvaluation): Pruning {
  const label = evaluation.metric;
  if (!isStructural(evaluation)) {
    const { expression, rates } = evaluation;
    return { label, metric: undefined, expression, ...(rates && { rates }) };
  }
  const { structure } = evaluation;
  if (structure.kind === 'scored') return { label, score: structure.score, rates: structure.rates };
  throw usageError('a metric or method', `${label}, a mask that a search has found`, 'Leave --sparsity and rates out.');
}

/** Something that stands there several times, at several sparsities, counts once. */
function distinct<Value>(values: readonly Value[]): readonly Value[] {
  return [...new Map(values.map((value) => [JSON.stringify(value), value])).values()];
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
  const remedy = 'Add it, or name a .prune file that says it; `espalier evaluate --help` shows both.';
  return usageError(`${flag} with ${what}`, `no ${flag}`, remedy);
}
