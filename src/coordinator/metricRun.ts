import type { RunEvent } from '../search/kinds.ts';
import type { SearchPlan } from '../search/metrics/plan.ts';
import type { FinalistEvent, FinishedEvent, OpenedEvent, SearchOpening } from '../search/metrics/events.ts';
import type { Expression } from '../metric/expression.ts';
import { printPrefix } from '../metric/print.ts';
import { runSearch } from '../search/metrics/runSearch.ts';
import type { Finalist } from '../search/metrics/runSearch.ts';
import { evaluateFinalist, finalOrder, settleInOrder } from './finalists.ts';
import { History } from './history.ts';
import { journaledEffects } from './journaledEffects.ts';
import type { Drive, Recalled, SearchKind } from './searchKind.ts';

/** What is evaluated at the end of a search, as it is written. */
interface FinalEntry {
  /** Undefined for a baseline. */
  readonly id?: number;
  readonly metric: string;
  readonly expression: Expression;
}

/** A search for metrics. */
export class MetricRun implements SearchKind {
  private readonly plan: SearchPlan;
  private readonly history = new History();

  /** @param plan with absolute paths */
  constructor(plan: SearchPlan) {
    this.plan = plan;
  }

  get recalled(): Recalled {
    return this.history;
  }

  recall(event: RunEvent): void {
    this.history.recall(event);
  }

  openedEvent(opening: SearchOpening): OpenedEvent {
    return { kind: 'opened', ...opening };
  }

  async run(opening: SearchOpening, drive: Drive): Promise<FinishedEvent> {
    const { pool, append, clock, signal } = drive;
    const { history } = this;
    const effects = journaledEffects({ history, pool, append, now: () => clock.now() });
    const { counts, finalists } = await runSearch(this.plan, effects, { opening, signal });
    const results = await this.evaluateFinalists(finalists, drive);
    return { kind: 'finished', counts, best: finalOrder(finalists, results) };
  }

  /** The best of the search first, then the baselines. */
  private evaluateFinalists(
    finalists: readonly Finalist[],
    { pool, append, portable }: Drive,
  ): Promise<readonly FinalistEvent[]> {
    const { plan, history } = this;
    const { sparsity } = plan;
    const entries: readonly FinalEntry[] = [
      ...finalists.map(({ id, expression }) => ({ id, metric: `candidate ${id}`, expression })),
      ...plan.baselines,
    ];
    const jobs = entries.map((entry) => {
      const { id, metric, expression } = entry;
      const about = { ...(id !== undefined && { id }), metric };
      const known = history.finalist(about);
      if (known) return { known };
      const evaluate = async (): Promise<FinalistEvent> => ({
        kind: 'finalist',
        ...about,
        expression: printPrefix(expression),
        ...(await evaluateFinalist(pool, plan, { metric, expression, sparsity }, portable)),
      });
      return { evaluate };
    });
    return settleInOrder(jobs, append);
  }
}
