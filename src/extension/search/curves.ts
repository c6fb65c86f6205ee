import { requirePerplexity } from '../../experiment/resultSchema.ts';
import { toErrorData } from '../../base/errors.ts';
import { formatSeconds } from '../../experiment/format.ts';
import { planInputs } from '../../experiment/planInputs.ts';
import type { EvaluationPlan } from '../../experiment/planSchema.ts';
import type { PlannedEvaluation } from '../../experiment/planSchema.ts';
import type { MetricSearchPlan } from '../../search/metrics/plan.ts';
import type { WeightSparsity } from '../../experiment/sparsitySchema.ts';
import { parsePrefix } from '../../metric/parsePrefix.ts';
import type { Ask } from '../../protocol/requests.ts';
import type { CurveAxis, CurveMetric, Curves } from '../../view/panelMessages.ts';

export interface CurvesRequest {
  /** With absolute paths. */
  readonly plan: MetricSearchPlan;
  readonly over: CurveAxis;
  readonly metrics: readonly CurveMetric[];
}

export interface CurvesHooks {
  readonly evaluate: Ask<'evaluate'>;
  readonly onChange: (curves: Curves) => void;
  /** Seconds, from any origin. */
  readonly now: () => number;
  readonly signal: AbortSignal;
}

const SHARES = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7];
const SAMPLES = [1, 2, 4, 8, 16, 32, 64, 128];

interface Point {
  readonly at: number;
  readonly plan: EvaluationPlan;
}

/** Plans of the paper's Figure 3: one with every sparsity, or one for each number of samples up to the search's own. */
export function curvePlans({ plan, over, metrics }: CurvesRequest): readonly Point[] {
  const { settings, sparsity } = plan;
  const evaluationsAt = (at: WeightSparsity): PlannedEvaluation[] =>
    metrics.map(({ label, expression }) => ({ metric: label, expression: parsePrefix(expression), sparsity: at }));
  const inputs = planInputs(plan);
  if (over === 'sparsity') {
    // A sweep each: the numbers appear one after the other.
    return SHARES.map((share) => ({
      at: share,
      plan: { ...inputs, evaluations: evaluationsAt({ kind: 'unstructured', share }) },
    }));
  }
  const most = settings.samples;
  const counts = [...SAMPLES.filter((count) => count < most), most];
  return counts.map((samples) => ({
    at: samples,
    plan: { ...inputs, evaluations: evaluationsAt(sparsity), settings: { ...settings, samples } },
  }));
}

/** Evaluates the curves point by point, by the ordinary worker, and tells of each. A metric that cannot rank somewhere has a gap there. */
export async function evaluateCurves(request: CurvesRequest, hooks: CurvesHooks): Promise<void> {
  const { over, metrics } = request;
  const points = curvePlans(request);
  const lines = metrics.map(({ label }) => ({
    label,
    points: [] as { at: number; perplexity: number }[],
    errors: [] as string[],
  }));
  const began = hooks.now();
  let densePerplexity: number | null = null;
  const tell = (state: Curves['state'], share: number, detail: string): void => {
    hooks.onChange({
      ...{ over, state, share, detail, densePerplexity },
      lines: lines.map((line) => ({ ...line, points: [...line.points], errors: [...line.errors] })),
    });
  };
  try {
    for (const [done, { at, plan }] of points.entries()) {
      const where = over === 'sparsity' ? `sparsity ${Math.round(at * 100)} %` : `${at} samples`;
      const shareAt = (part: number): number => (done + part) / points.length;
      tell('running', shareAt(0), where);
      await hooks.evaluate(plan, {
        signal: hooks.signal,
        onProgress: ({ done: steps, total, detail }) => {
          tell('running', shareAt(total > 0 ? steps / total : 0), `${where}, ${detail}`);
        },
        onResult: (result, index) => {
          const judged = requirePerplexity(result);
          ({ densePerplexity } = judged);
          lines[index]?.points.push({ at, perplexity: judged.perplexity });
        },
        onFailure: (error, index) => {
          lines[index]?.errors.push(`${where}: ${error.actual}`);
        },
      });
    }
    tell('done', 1, `${points.length * metrics.length} evaluations in ${formatSeconds(hooks.now() - began)}`);
  } catch (thrown) {
    const error = toErrorData(thrown, 'evaluating the curves');
    if (error.code === 'cancelled') tell('cancelled', 0, '');
    else tell('failed', 0, `${error.operation}: expected ${error.expected}, got ${error.actual}. ${error.remedy}`);
  }
}
