import { toErrorData } from '../base/errors.ts';
import type { ErrorData, EspalierError } from '../base/errors.ts';
import type { EvaluationPlan } from '../experiment/plan.ts';
import type { EvaluationResult } from '../experiment/result.ts';
import type { SearchPlan } from '../experiment/search.ts';
import type { FinalistEvent } from '../experiment/searchEvents.ts';
import type { Expression } from '../metric/expression.ts';
import { printPrefix } from '../metric/print.ts';
import type { Work, WorkerPool, WorkSource } from './workerPool.ts';

/** What is evaluated at the end of a search, as it is written and calibrated as the plan says. */
export interface FinalEntry {
  /** Undefined for a baseline. */
  readonly id?: number;
  readonly metric: string;
  readonly expression: Expression;
}

/** Milliseconds; an evaluation of a large model may take hours, and tells nothing while a native call runs. */
const LIMIT = 24 * 3_600_000;

/**
 * Evaluates one finalist or baseline on the fitness text and, where the plan has one, on the test text.
 *
 * @throws EspalierError for everything that is not the metric's fault
 */
export async function evaluateFinalist(pool: WorkerPool, plan: SearchPlan, entry: FinalEntry): Promise<FinalistEvent> {
  const { metric, expression } = entry;
  const about = { ...(entry.id !== undefined && { id: entry.id }), metric, expression: printPrefix(expression) };
  const on = (text: string): Promise<EvaluationResult | ErrorData> =>
    evaluateOne(pool, {
      model: plan.model,
      text,
      ...(plan.calibration !== undefined && { calibration: plan.calibration }),
      evaluations: [{ metric, expression, sparsity: plan.sparsity }],
      settings: plan.settings,
    });
  const [result, test] = await Promise.all([on(plan.text), plan.test === undefined ? undefined : on(plan.test)]);
  const error = [result, test].find((outcome) => outcome !== undefined && 'code' in outcome);
  return {
    kind: 'finalist',
    ...about,
    ...(!('code' in result) && { result }),
    ...(test !== undefined && !('code' in test) && { test }),
    ...(error !== undefined && 'code' in error && { error }),
  };
}

/** Failures that are the metric's: the others of the plan go on. */
const OF_THE_METRIC: ReadonlySet<string> = new Set(['metric/invalid-score', 'evaluation/not-finite']);

/** Ends of a worker after which an evaluation is not tried again. */
const DEATHS = 2;

function evaluateOne(pool: WorkerPool, plan: EvaluationPlan): Promise<EvaluationResult | ErrorData> {
  return new Promise((resolve, reject) => {
    let open = true;
    const deaths: EspalierError[] = [];
    const settle = (outcome: EvaluationResult | ErrorData): void => {
      pool.remove(source);
      resolve(outcome);
    };
    const work: Work = {
      limit: LIMIT,
      run: async (client) => {
        try {
          // The worker's own share of the threads, which is not part of the plan.
          const { results } = await client.evaluate({ ...plan, settings: pool.settingsOf(plan.settings) }, {});
          settle(results[0]!);
        } catch (thrown) {
          const error = toErrorData(thrown, 'evaluating a finalist');
          if (!OF_THE_METRIC.has(error.code)) throw thrown;
          settle(error);
        }
      },
      lost: (reason) => {
        deaths.push(reason);
        open = deaths.length < DEATHS;
        if (open) {
          pool.pump();
          return;
        }
        pool.budget.forgive(deaths);
        settle(reason.data);
      },
    };
    const source: WorkSource = {
      take: () => {
        if (!open) return undefined;
        open = false;
        return work;
      },
      fail: reject,
    };
    pool.add(source);
  });
}
