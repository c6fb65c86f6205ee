import { isDeepStrictEqual } from 'node:util';
import { EspalierError } from '../base/errors.ts';
import type {
  FinalistEvent,
  FinishedEvent,
  MeasureOutcome,
  ProbedEvent,
  ProbeOutcome,
  SearchEvent,
  SearchOpening,
} from '../experiment/searchEvents.ts';
import { printPrefix } from '../metric/print.ts';
import type { JournalRecord } from '../runs/journalLine.ts';
import type { Proposal } from '../search/effects.ts';

/**
 * What a run's journal knows already. A search that goes on asks everything again from its beginning: answers come from here as far
 * as it has them, and what the search then says must be what it said before.
 */
export class History {
  readonly length: number;
  readonly opening: SearchOpening | undefined;
  /** Whether any number was measured: before that a run may begin again on other inputs. */
  readonly measured: boolean;
  readonly finished: FinishedEvent | undefined;
  private readonly probes = new Map<number, ProbedEvent>();
  private readonly measures = new Map<string, MeasureOutcome>();
  private readonly said = new Map<string, SearchEvent>();
  private readonly finalists = new Map<string, FinalistEvent>();

  constructor(records: readonly JournalRecord[]) {
    this.length = records.length;
    let opening: SearchOpening | undefined;
    let finished: FinishedEvent | undefined;
    for (const { event } of records) {
      switch (event.kind) {
        case 'opened':
          opening = event;
          break;
        case 'probed':
          this.probes.set(event.id, event);
          break;
        case 'measured':
          this.measures.set(measureKey(event.id, event.rung), event.measure);
          break;
        case 'candidate':
        case 'generation':
        case 'baseline':
          this.said.set(keyOf(event), event);
          break;
        case 'finalist':
          this.finalists.set(finalistKey(event), event);
          break;
        case 'finished':
          finished = event;
          break;
        case 'quarantined':
        case 'resumed':
        case 'paused':
        case 'failed':
          break;
      }
    }
    this.opening = opening;
    this.finished = finished;
    this.measured = this.probes.size > 0 || this.measures.size > 0;
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
    // As the journal would give it back: numbers survive that exactly.
    const now: unknown = JSON.parse(JSON.stringify(event));
    if (isDeepStrictEqual(now, JSON.parse(JSON.stringify(before)))) return true;
    throw divergedError(key, JSON.stringify(before), JSON.stringify(event));
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

function divergedError(what: string, expected: string, actual: string): EspalierError {
  const shorten = (text: string): string => (text.length > 500 ? `${text.slice(0, 500)}…` : text);
  return new EspalierError({
    code: 'runs/diverged',
    operation: `going on with a run, at ${what}`,
    expected: `${shorten(expected)}, as its journal has it`,
    actual: shorten(actual),
    remedy: 'The run was begun by a version that searches otherwise: finish it with that version, or start a new run.',
  });
}
