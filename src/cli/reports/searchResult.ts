import type { ErrorData } from '../../base/errors.ts';
import { printSparsity } from '../../experiment/sparsity.ts';
import type { MetricCounts, MetricFinalist } from '../../search/metrics/events.ts';
import { parsePrefix } from '../../metric/parsePrefix.ts';
import { printInfix } from '../../metric/print.ts';
import { runName } from '../../runs/runFolder.ts';
import type { RunFolder } from '../../runs/runFolder.ts';
import { denseTasks, foundFitness, ownFitness } from './foundFitness.ts';
import type { OwnFitness } from './foundFitness.ts';
import { measuredFinalist } from '../../search/lifecycle/measuredFinalist.ts';
import { measuredOf } from '../../search/lifecycle/outcome.ts';
import type { AnyFitness, Objective } from '../../search/lifecycle/objective.ts';
import { finalTasks } from './taskJson.ts';
import { operatorShares } from '../../search/metrics/operatorShares.ts';
import type { OperatorShare } from '../../search/metrics/operatorShares.ts';
import type { MetricSearchPlan } from '../../search/metrics/plan.ts';
import { bestOf } from '../../search/metrics/state.ts';
import type { MetricState } from '../../search/metrics/state.ts';

/** What a search came to, or has come to so far: the last line of `espalier evolve --json`. */
export interface SearchResult {
  /** Id of the run. */
  readonly run: string;
  readonly name: string;
  readonly state: MetricState['status'];
  readonly sparsity: string;
  /** What candidates are chosen by, where that is not their perplexity. */
  readonly objective?: Exclude<Objective, 'perplexity'>;
  readonly densePerplexity: number | null;
  /** Where that are tasks: the dense model's mean loss on them, in nats a document, and its mean accuracy. */
  readonly denseTaskLoss?: number;
  readonly denseAccuracy?: number;
  readonly denseTestPerplexity: number | null;
  /** Best first, as finally evaluated; of a search that is not finished the best so far. */
  readonly best: readonly FoundMetric[];
  readonly baselines: readonly FoundMetric[];
  /** Requests, tokens and cost of the language model among them, where one proposes. */
  readonly counts: MetricCounts;
  /** What each operator has contributed. */
  readonly operators: readonly OperatorShare[];
  /** Of work: pauses do not count. */
  readonly seconds: number;
}

/** With what it was chosen by in the search. */
export interface FoundMetric extends OwnFitness {
  /** Of the candidate; none for a baseline. */
  readonly id?: number;
  /** A baseline's name; infix spelling for a candidate. */
  readonly metric: string;
  /** Prefix spelling. */
  readonly expression: string;
  /** On the fitness text. */
  readonly perplexity: number | null;
  /** On the text that the search never saw; null where there is none. */
  readonly testPerplexity: number | null;
  /** What it was asked, where the search asks tasks. */
  readonly tasks?: readonly object[];
  readonly error?: ErrorData;
}

export function searchResult({ folder, record: run }: RunFolder<MetricSearchPlan>, state: MetricState): SearchResult {
  const { finalists, opening, counts, ranking, status, times } = state;
  const ranked = ranking.flatMap((id) => finalists.find((finalist) => finalist.id === id) ?? []);
  const soFar = bestOf(state);
  const tested = finalists.find(({ test }) => test !== undefined)?.test;
  return {
    run: runName({ folder }),
    name: run.plan.name,
    state: status,
    sparsity: printSparsity(run.plan.sparsity),
    ...(opening?.objective && { objective: opening.objective }),
    densePerplexity: opening?.densePerplexity ?? null,
    ...denseTasks(opening),
    denseTestPerplexity: tested?.densePerplexity ?? null,
    best:
      ranked.length > 0
        ? ranked.map((finalist) => foundMetric(finalist, measuredFinalist(finalist, state)))
        : soFar === undefined
          ? []
          : [
              {
                id: soFar.id,
                metric: infix(soFar.expression),
                expression: soFar.expression,
                ...foundFitness(measuredOf(soFar)),
                testPerplexity: null,
              },
            ],
    baselines: finalists
      .filter(({ id }) => id === undefined)
      .map((finalist) => foundMetric(finalist, measuredFinalist(finalist, state))),
    counts,
    operators: operatorShares(state),
    seconds: times.worked / 1000,
  };
}

/** @param measured what the search has of it */
function foundMetric(
  { id, name, expression, result, test, error }: MetricFinalist,
  measured: AnyFitness | undefined,
): FoundMetric {
  return {
    ...(id !== undefined && { id }),
    metric: id === undefined ? name : infix(expression),
    expression,
    perplexity: result?.perplexity ?? null,
    ...ownFitness(measured),
    testPerplexity: test?.perplexity ?? null,
    ...finalTasks({ result, test }),
    ...(error && { error }),
  };
}

function infix(prefix: string): string {
  return printInfix(parsePrefix(prefix));
}
