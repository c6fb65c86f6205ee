import type { PerplexityResult } from '../experiment/resultSchema.ts';
import type { EventOf, OpeningOf, RunKind } from '../search/kinds.ts';
import type { Clock } from './clock.ts';
import type { Pool } from './pool.ts';

/** What ends a run's journal. */
export type EndOf<Kind extends RunKind> = Extract<EventOf<Kind>, { kind: 'finished' }>;

/**
 * What differs between searches. The life of a run around it (who drives it, its journal, its workers, pausing, failing) is the same
 * for all, see coordinator.ts.
 */
export interface SearchRun<Kind extends RunKind = RunKind> {
  /** Takes one event that the journal has from before, in its order. */
  recall(event: EventOf<Kind>): void;
  /** Whether anything was found out before: until then a run may begin again on other inputs. */
  readonly measured: boolean;
  /** Refuses what could not be run, before a model is loaded. */
  prepare?(): Promise<void>;
  /**
   * The search itself, from its beginning. What the journal has answers for is not asked again; the rest is asked of the workers, and
   * journaled.
   *
   * @throws EspalierError what the run fails with
   */
  run(opening: OpeningOf<Kind>, drive: Drive<Kind>): Promise<EndOf<Kind>>;
}

/** What a search is driven with. */
export interface Drive<Kind extends RunKind = RunKind> {
  readonly pool: Pool;
  /** Who evaluates what depends on nothing but what is asked: those of a queue, where one is named. */
  readonly evaluating: () => Promise<Pool>;
  readonly signal: AbortSignal;
  readonly clock: Clock;
  /** Settles when the events are on the disk. */
  readonly append: (...events: readonly EventOf<Kind>[]) => Promise<void>;
  /** Tells a person, and the run's log, what could not be expected. */
  readonly say: (message: string) => void;
  /** With paths that mean the same in another clone of the workspace, as a journal has them. */
  readonly portable: (result: PerplexityResult) => PerplexityResult;
}
