import type { RunEvent } from '../search/kinds.ts';
import type {
  FinalistEvent,
  FinishedEvent,
  MeasureOutcome,
  ProbedEvent,
  ProbeOutcome,
  SearchEvent,
  SearchOpening,
} from '../search/metrics/events.ts';
import { printPrefix } from '../metric/print.ts';
import type { Proposal } from '../search/metrics/effects.ts';
import { checkSame, divergedError } from './divergence.ts';

/**
 * What a run's journal knows already. A search that goes on asks everything again from its beginning: answers come from here as far
 * as it has them, and what the search then says must be what it said before.
 */
export class History {
  opening: SearchOpening | undefined;
  end: FinishedEvent | undefined;
  private readonly probes = new Map<number, ProbedEvent>();
  private readonly measures = new Map<string, MeasureOutcome>();
  private readonly said = new Map<string, SearchEvent>();
  private readonly finalists = new Map<string, FinalistEvent>();

  /** Whether any number was measured: before that a run may begin again on other inputs. */
  get measured(): boolean {
    return this.probes.size > 0 || this.measures.size > 0;
  }

  recall(event: RunEvent): void {
    if (event.kind === 'opened') this.opening = event;
    else if (event.kind === 'probed') this.probes.set(event.id, event);
    else if (event.kind === 'measured') this.measures.set(measureKey(event.id, event.rung), event.measure);
    else if (event.kind === 'candidate' || event.kind === 'generation' || event.kind === 'baseline')
      this.said.set(keyOf(event), event);
    else if (event.kind === 'finalist') this.finalists.set(finalistKey(event), event);
    else if (event.kind === 'finished') this.end = event;
  }

  /** @throws EspalierError `runs/diverged` where the journal's candidate of this id is another */
  probe({ id, expression }: Proposal): ProbeOutcome | undefined {
    const event = this.probes.get(id);
    if (!event) return undefined;
    const asked = printPrefix(expression);
    if (event.expression !== asked) throw divergedError(`candidate ${id}`, event.expression, asked);
    return event.probe;
  }

  measure({ id }: Proposal, rung: number): MeasureOutcome | undefined {
    return this.measures.get(measureKey(id, rung));
  }

  /**
   * Whether the journal has this event already.
   *
   * @throws EspalierError `runs/diverged` where it has another in its place
   */
  has(event: SearchEvent): boolean {
    const key = keyOf(event);
    const before = this.said.get(key);
    if (!before) return false;
    checkSame(key, before, event);
    return true;
  }

  finalist(event: Pick<FinalistEvent, 'id' | 'metric'>): FinalistEvent | undefined {
    return this.finalists.get(finalistKey(event));
  }
}

function measureKey(id: number, rung: number): string {
  return `${id}/${rung}`;
}

function finalistKey({ id, metric }: Pick<FinalistEvent, 'id' | 'metric'>): string {
  return id === undefined ? `baseline ${metric}` : String(id);
}

/** Names the event's place in the run. */
function keyOf(event: SearchEvent): string {
  if (event.kind === 'candidate') return `candidate ${event.id}`;
  if (event.kind === 'generation') return `generation ${event.generation}`;
  if (event.kind === 'baseline') return `baseline ${event.metric}`;
  return event.kind;
}
