import type { EvaluationResult } from '../experiment/resultSchema.ts';
import type { RunEvent } from '../search/kinds.ts';
import type { FinishedEvent, SearchOpening } from '../search/metrics/events.ts';
import type { MasksFinishedEvent, RatesFinishedEvent } from '../search/rates/events.ts';
import type { Clock } from './clock.ts';
import type { WorkerPool } from './workerPool.ts';

/** What ends a run's journal, each kind of search with its own. */
export type EndEvent = FinishedEvent | RatesFinishedEvent | MasksFinishedEvent;

/**
 * What differs between searches. The life of a run around it (who drives it, its journal, its workers, pausing, failing) is the same
 * for all, see coordinator.ts.
 */
export interface SearchKind {
  /** Takes one event that the journal has from before, in its order. */
  recall(event: RunEvent): void;
  /** What the journal has from before. */
  readonly recalled: Recalled;
  /** Refuses what could not be run, before a model is loaded. */
  prepare?(): Promise<void>;
  /** What the journal says when the model is loaded. */
  openedEvent(opening: SearchOpening): RunEvent;
  /**
   * The search itself, from its beginning. What the journal has answers for is not asked again; the rest is asked of the workers, and
   * journaled.
   *
   * @throws EspalierError what the run fails with
   */
  run(opening: SearchOpening, drive: Drive): Promise<EndEvent>;
}

export interface Recalled {
  readonly opening: SearchOpening | undefined;
  /** Whether anything was found out: before that a run may begin again on other inputs. */
  readonly measured: boolean;
  readonly end: EndEvent | undefined;
}

/** What a search is driven with. */
export interface Drive {
  readonly pool: WorkerPool;
  readonly signal: AbortSignal;
  readonly clock: Clock;
  /** Settles when the events are on the disk. */
  readonly append: (...events: readonly RunEvent[]) => Promise<void>;
  /** With paths that mean the same in another clone of the workspace, as a journal has them. */
  readonly portable: (result: EvaluationResult) => EvaluationResult;
}
