import { toErrorData } from '../base/errors.ts';
import type { ErrorCode, ErrorData, EspalierError } from '../base/errors.ts';
import { onTestText, planInputs } from '../experiment/planInputs.ts';
import type { EvaluationPlan, PlannedEvaluation, TextInputs } from '../experiment/planSchema.ts';
import { requirePerplexity } from '../experiment/resultSchema.ts';
import type { PerplexityResult } from '../experiment/resultSchema.ts';
import type { RunPlan } from '../search/kinds.ts';
import type { Objective } from '../search/lifecycle/objective.ts';
import type { FinalistEvent } from '../search/lifecycle/events.ts';
import { checkSame } from './divergence.ts';
import type { Drive } from './searchRun.ts';
import type { Answering, Pool, Work, WorkSource } from './pool.ts';

/** What is evaluated at the end of a search: what it has found, or a baseline. */
export interface FinalEntry<About> {
  /** What its event says of it beside the results. */
  readonly about: About;
  readonly evaluation: PlannedEvaluation | AskFinal;
}

/** What it is evaluated on, and what it is asked beside. */
export type FinalInputs = TextInputs & Pick<EvaluationPlan, 'tasks'>;

/** Asks a worker what only the open run can evaluate. @param inputs with the worker's own share of the threads */
export type AskFinal = (client: Answering, inputs: FinalInputs) => Promise<PerplexityResult>;

/** Milliseconds; an evaluation of a large model may take hours, and tells nothing while a native call runs. */
const LIMIT = 24 * 3_600_000;

/**
 * Evaluates finalists and baselines as evaluations outside of the search would be, calibrated as the plan says, and journals them. Workers
 * evaluate them side by side; the journal has them in their order.
 *
 * @param known those that the journal has: the first ones
 * @throws EspalierError for everything that is not a finalist's own fault
 */
export async function evaluateFinalists<About extends Pick<FinalistEvent, 'id' | 'name'>>(
  entries: readonly FinalEntry<About>[],
  known: readonly FinalistEvent[],
  plan: RunPlan,
  { pool, append, portable }: Drive<never>,
): Promise<readonly FinalistEvent[]> {
  const jobs = entries.map(({ about, evaluation }, place) => {
    const before = known[place];
    if (before) {
      checkSame(`finalist ${place + 1}`, essenceOf(before), essenceOf(about));
      return { known: before };
    }
    const evaluated = evaluateFinalist(pool, plan, evaluation, portable);
    // One that fails while an earlier one is waited for is reported when its turn comes.
    evaluated.catch(() => undefined);
    return { about, evaluated };
  });
  const settled: FinalistEvent[] = [];
  for (const job of jobs) {
    if ('known' in job) settled.push(job.known);
    else {
      const event = { kind: 'finalist' as const, ...job.about, ...(await job.evaluated) };
      // Of the kind of the run: an entry says about itself what an event of it says.
      await append(event as never);
      settled.push(event);
    }
  }
  return settled;
}

function essenceOf({ id, name }: Pick<FinalistEvent, 'id' | 'name'>): object {
  return { ...(id !== undefined && { id }), name };
}

/** On the fitness text and, where the plan has one, on the test text; tasks are asked once, with the latter where there is one. */
async function evaluateFinalist(
  pool: Pool,
  plan: RunPlan,
  evaluation: FinalEntry<unknown>['evaluation'],
  portable: (result: PerplexityResult) => PerplexityResult,
): Promise<Pick<FinalistEvent, 'result' | 'test' | 'error'>> {
  const on = (inputs: FinalInputs): Promise<PerplexityResult | ErrorData> =>
    evaluateOne(pool, typeof evaluation === 'function' ? evaluation : asPlanned(evaluation), inputs);
  const { test: unseen, tasks } = plan;
  const asked = tasks && { tasks };
  const [result, test] = await Promise.all([
    on({ ...planInputs(plan), ...(unseen === undefined && asked) }),
    unseen === undefined ? undefined : on({ ...onTestText(plan, unseen), ...asked }),
  ]);
  const error = [result, test].find((outcome) => outcome !== undefined && 'code' in outcome);
  return {
    ...(!('code' in result) && { result: portable(result) }),
    ...(test !== undefined && !('code' in test) && { test: portable(test) }),
    ...(error !== undefined && 'code' in error && { error }),
  };
}

/**
 * Ids, the best first: by the perplexity on the fitness text as finally evaluated, or as the search had them where it chose by something
 * else; those that failed there last.
 */
export function finalOrder(
  finalists: readonly { readonly id: number }[],
  results: readonly { readonly id?: number; readonly result?: PerplexityResult }[],
  objective: Objective,
): readonly number[] {
  const place = (id: number): number => {
    const result = results.find((one) => one.id === id)?.result;
    return result === undefined ? Infinity : objective === 'perplexity' ? result.perplexity : 0;
  };
  return finalists
    .map(({ id }, order) => ({ id, order, place: place(id) }))
    .sort((a, b) => (a.place === b.place ? a.order - b.order : a.place - b.place))
    .map(({ id }) => id);
}

/**
 * Failures that are the metric's, the rates' or the structure's (one that removes nothing, say): the others of the plan go on. Model, texts and
 * settings are those that the search itself was opened with.
 */
const ITS_OWN: ReadonlySet<ErrorCode> = new Set(['metric/invalid-score', 'evaluation/not-finite', 'settings/invalid']);

/** Ends of a worker after which an evaluation is not tried again. */
const DEATHS = 2;

/** As an evaluation outside of the run would be. @param evaluation the dense model where there is none */
export function asPlanned(evaluation: PlannedEvaluation | undefined): AskFinal {
  return async (client, inputs) => {
    const [result] = await client.request('evaluate', { ...inputs, evaluations: evaluation ? [evaluation] : [] });
    return requirePerplexity(result!);
  };
}

function evaluateOne(pool: Pool, ask: AskFinal, inputs: FinalInputs): Promise<PerplexityResult | ErrorData> {
  return new Promise((resolve, reject) => {
    let open = true;
    const deaths: EspalierError[] = [];
    const settle = (outcome: PerplexityResult | ErrorData): void => {
      pool.remove(source);
      resolve(outcome);
    };
    const work: Work = {
      limit: LIMIT,
      run: async (client) => {
        try {
          // The worker's own share of the threads, which is not part of the plan.
          settle(await ask(client, { ...inputs, settings: pool.settingsOf(inputs.settings) }));
        } catch (thrown) {
          const error = toErrorData(thrown, 'evaluating a finalist');
          if (!ITS_OWN.has(error.code)) throw thrown;
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
