import path from 'node:path';
import type { Engine } from '../../src/engine/engine.ts';
import { onTestText, planInputs } from '../../src/experiment/planInputs.ts';
import type { PerplexityResult } from '../../src/experiment/resultSchema.ts';
import { printSparsity } from '../../src/experiment/sparsity.ts';
import type { WeightUpdate } from '../../src/experiment/updates.ts';
import type { Expression } from '../../src/metric/expression.ts';
import { parsePrefix } from '../../src/metric/parsePrefix.ts';
import { printInfix, printPrefix } from '../../src/metric/print.ts';
import type { Objective } from '../../src/search/lifecycle/objective.ts';
import type { MetricSearchPlan } from '../../src/search/metrics/plan.ts';
import { runMetricSearch } from '../../src/search/metrics/runMetricSearch.ts';
import { armEffects, MeasuredEffects } from '../study/measuredEffects.ts';
import { studyPlan } from '../study/studyPlan.ts';
import type { RecoveryStudyOptions } from './options.ts';
import type { Results } from './results.ts';
import { ADMM } from './updates.ts';

export type Arm = 'plain' | 'admm' | 'kl';

/** How the metrics of an arm are searched. */
export const ARMS: Readonly<Record<Arm, { readonly update?: WeightUpdate; readonly objective: Objective }>> = {
  plain: { objective: 'perplexity' },
  admm: { update: ADMM, objective: 'perplexity' },
  kl: { objective: 'kl' },
};

/** A search's best: of its finalists the one that does best on the fitness text, calibrated as evaluations are; by divergence its first. */
export interface FoundMetric {
  readonly arm: Arm;
  readonly seed: number;
  /** Prefix form. */
  readonly expression: string;
  readonly evaluations: number;
  /** Under the arm's own update: on the text of the search, and on one that no search saw. */
  readonly fitness: number;
  readonly unseen: number;
}

export interface StudyEngine {
  readonly engine: Engine;
  readonly options: RecoveryStudyOptions;
  readonly results: Results;
}

export function planOf({ options }: StudyEngine, arm: Arm, seed: number): MetricSearchPlan {
  const { out, searchAt: sparsity, blocks, threads, population, generations, finalists, samples } = options;
  const { update, objective } = ARMS[arm];
  const plan = studyPlan(out, { sparsity, blocks, threads }, { population, generations, finalists, seed, objective });
  return { ...plan, settings: { ...plan.settings, samples }, ...(update && { update }) };
}

/** Runs one search of an arm, or takes it from what is known. */
export function search(study: StudyEngine, arm: Arm, seed: number): Promise<FoundMetric> {
  const { results, engine, options } = study;
  const plan = planOf(study, arm, seed);
  const { population, generations, finalists, blocks, samples } = options;
  const about = {
    search: arm,
    seed,
    at: printSparsity(plan.sparsity),
    population,
    generations,
    finalists,
    blocks,
    samples,
  };
  return results.get(about, async () => {
    console.error(`search ${arm}, seed ${seed}`);
    const opening = await engine.open(plan);
    const shared = new MeasuredEffects(engine, path.join(options.out, 'measurements.jsonl'), opening.fingerprint);
    const effects = armEffects(shared, {}, () => undefined);
    const { finalists, counts } = await runMetricSearch({ ...plan, baselines: [] }, effects, { opening });
    const evaluated: { readonly expression: Expression; readonly perplexity: number }[] = [];
    for (const { expression } of finalists) {
      const { perplexity } = await evaluate(study, plan, expression, plan.update, false);
      evaluated.push({ expression, perplexity });
    }
    const best = arm === 'kl' ? evaluated[0]! : evaluated.reduce((a, b) => (b.perplexity < a.perplexity ? b : a));
    const found = printPrefix(best.expression);
    const unseen = await perplexityOf(study, plan, found, plan.update);
    console.error(`  ${printInfix(best.expression)}: ${best.perplexity.toFixed(2)}, unseen ${unseen.toFixed(2)}`);
    return {
      ...{ arm, seed, expression: found, evaluations: counts.evaluations },
      ...{ fitness: best.perplexity, unseen },
    };
  });
}

/** Of a metric on the search's text, or on the one that no search saw; calibrated sequentially. */
async function evaluate(
  { engine, options }: StudyEngine,
  plan: MetricSearchPlan,
  expression: Expression,
  update: WeightUpdate | undefined,
  unseen: boolean,
): Promise<PerplexityResult> {
  const inputs = unseen ? onTestText(plan, plan.test!) : planInputs(plan);
  const [result] = await engine.evaluate({
    ...inputs,
    settings: { ...inputs.settings, calibrate: 'sequential', ...(unseen && { blocks: options.unseen }) },
    evaluations: [{ metric: 'metric', expression, sparsity: plan.sparsity, ...(update && { update }) }],
  });
  return result!;
}

/** The same, known by prefix form and sparsity. */
export function perplexityOf(
  study: StudyEngine,
  plan: MetricSearchPlan,
  expression: string,
  update: WeightUpdate | undefined,
): Promise<number> {
  const { unseen, samples } = study.options;
  const about = { unseen, samples, at: printSparsity(plan.sparsity), expression, update: update ?? null };
  return study.results.get(about, async () => {
    const { perplexity } = await evaluate(study, plan, parsePrefix(expression), update, true);
    return perplexity;
  });
}
