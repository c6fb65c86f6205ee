import { appendFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { cancelledError, EspalierError, toErrorData } from '../base/errors.ts';
import { VERSION } from '../base/version.ts';
import type { EvaluationProgress } from '../experiment/result.ts';
import { asMetricSearch } from '../experiment/runPlan.ts';
import type { SearchPlan } from '../experiment/search.ts';
import type { FinalistEvent, FinishedEvent, SearchEvent, SearchOpening } from '../experiment/searchEvents.ts';
import type { WorkerProcess } from '../protocol/workerProcess.ts';
import { Journal } from '../runs/journal.ts';
import { portableResult } from '../runs/evaluationRecord.ts';
import type { JournalOptions } from '../runs/journal.ts';
import type { JournalRecord } from '../runs/journalLine.ts';
import { JOURNAL_FILE, LOG_FILE } from '../runs/runFolder.ts';
import type { RunFolder } from '../runs/runFolder.ts';
import { lockRun } from '../runs/runLock.ts';
import { planOf } from '../runs/runRecord.ts';
import { runSearch } from '../search/runSearch.ts';
import type { Finalist } from '../search/runSearch.ts';
import { SYSTEM_CLOCK } from './clock.ts';
import type { Clock } from './clock.ts';
import type { CrashLimits } from './crashBudget.ts';
import { evaluateFinalist } from './finalists.ts';
import type { FinalEntry } from './finalists.ts';
import { History } from './history.ts';
import { journaledEffects } from './journaledEffects.ts';
import { WorkerPool } from './workerPool.ts';

export interface SearchRunOptions {
  /** Forks one worker of the pool. */
  readonly spawn: () => WorkerProcess;
  /** Pauses the run: it is acknowledged at once, and the workers are gone when the run settles. */
  readonly signal: AbortSignal;
  /** Processes, where not as many as the plan says; they do not change what is found. */
  readonly workers?: number;
  /** Told of each event when it is on the disk, in the order of the journal; not of those that were there before. */
  readonly onEvent?: (record: JournalRecord) => void;
  /** How far the opening of the search is. */
  readonly onProgress?: (progress: EvaluationProgress) => void;
  readonly log?: (line: string) => void;
  /** Goes on from what stands before the damage of a journal that is damaged in its middle. */
  readonly recover?: boolean;
  readonly clock?: Clock;
  readonly limits?: CrashLimits;
  readonly openFile?: JournalOptions['openFile'];
}

export type RunOutcome =
  | { readonly kind: 'finished'; readonly finished: FinishedEvent }
  /** Resume it when it suits. */
  | { readonly kind: 'paused' };

/**
 * Runs a search, from its beginning or on from where its journal ends, until it is finished or paused. What happens is in the journal
 * before anybody is told. However often a run is paused or killed, it comes to the very same candidates and the same end.
 *
 * @throws EspalierError what the run failed with; the journal says it too, and the run can be resumed. `runs/in-use`,
 * `runs/damaged`, `runs/changed` where it was not begun at all
 */
export async function runSearchOf(run: RunFolder, options: SearchRunOptions): Promise<RunOutcome> {
  const lock = await lockRun(run.folder);
  try {
    const { clock = SYSTEM_CLOCK, openFile, recover = false } = options;
    const { journal, records } = await Journal.open(path.join(run.folder, JOURNAL_FILE), run.run.id, {
      now: () => clock.wall(),
      recover,
      ...(openFile && { openFile }),
    });
    try {
      const history = new History(records);
      if (history.finished) return { kind: 'finished', finished: history.finished };
      return await new Coordinator(run, journal, history, options).run();
    } finally {
      await journal.close();
    }
  } finally {
    await lock.release();
  }
}

class Coordinator {
  private readonly folder: RunFolder;
  private readonly plan: SearchPlan;
  private readonly journal: Journal;
  private readonly history: History;
  private readonly options: SearchRunOptions;
  private readonly pool: WorkerPool;
  private opening: SearchOpening | undefined;

  constructor(run: RunFolder, journal: Journal, history: History, options: SearchRunOptions) {
    const plan = asMetricSearch(planOf(run.run, run.root), 'running a search');
    this.folder = run;
    this.plan = plan;
    this.journal = journal;
    this.history = history;
    this.options = options;
    this.opening = history.measured ? history.opening : undefined;
    const { spawn, workers = plan.search.workers, clock = SYSTEM_CLOCK, limits } = options;
    const { threads } = plan.settings;
    this.pool = new WorkerPool({
      plan,
      workers,
      threads: threads === 0 ? availableParallelism() : threads,
      spawn,
      version: VERSION,
      clock,
      log: (line) => {
        options.log?.(line);
        logTo(path.join(run.folder, LOG_FILE), `${new Date(clock.wall()).toISOString()} ${line}\n`);
      },
      onProgress: options.onProgress ?? ignore,
      onOpened: (opening) => {
        this.checkOpening(opening);
      },
      ...(limits && { limits }),
    });
  }

  async run(): Promise<RunOutcome> {
    const { signal } = this.options;
    const abort = (): void => {
      void this.pool.dispose(cancelledError('searching'));
    };
    signal.addEventListener('abort', abort, { once: true });
    if (signal.aborted) abort();
    try {
      if (this.history.length > 0) await this.append({ kind: 'resumed' });
      const finished = await this.search();
      await this.append(finished);
      return { kind: 'finished', finished };
    } catch (thrown) {
      const error = toErrorData(thrown, 'running a search');
      if (signal.aborted && error.code === 'cancelled') {
        await this.append({ kind: 'paused' });
        return { kind: 'paused' };
      }
      // Where the journal itself is what failed, the caller alone is told.
      await this.append({ kind: 'failed', error }).catch(ignore);
      throw thrown instanceof EspalierError ? thrown : new EspalierError(error, { cause: thrown });
    } finally {
      signal.removeEventListener('abort', abort);
      await this.pool.dispose(cancelledError('searching'));
    }
  }

  private async search(): Promise<FinishedEvent> {
    const opening = this.opening ?? (await this.open());
    const effects = journaledEffects({
      history: this.history,
      pool: this.pool,
      append: (...events) => this.append(...events),
      now: () => (this.options.clock ?? SYSTEM_CLOCK).now(),
    });
    const { counts, finalists } = await runSearch(this.plan, effects, { opening, signal: this.options.signal });
    const results = await this.evaluateFinalists(finalists);
    return { kind: 'finished', counts, best: inOrder(finalists, results) };
  }

  /** Opens the search where nothing was measured yet. */
  private async open(): Promise<SearchOpening> {
    const opening = await this.pool.open();
    if (this.history.opening?.fingerprint !== opening.fingerprint) await this.append({ kind: 'opened', ...opening });
    return opening;
  }

  /** Every worker must have opened the same search, and the same as when the run began. */
  private checkOpening(opening: SearchOpening): void {
    this.opening ??= opening;
    if (opening.fingerprint === this.opening.fingerprint) return;
    throw new EspalierError({
      code: 'runs/changed',
      operation: 'going on with a run',
      expected: 'checkpoint, texts, device and versions as they were when it began',
      actual: `others (fingerprint ${opening.fingerprint.slice(0, 12)}, not ${this.opening.fingerprint.slice(0, 12)})`,
      remedy:
        'Restore them and resume, or start a new run: numbers measured on one are not comparable with those of the other.',
    });
  }

  /** Workers evaluate them side by side; the journal has them in their order, the best of the search first, then the baselines. */
  private async evaluateFinalists(finalists: readonly Finalist[]): Promise<ReadonlyMap<number, FinalistEvent>> {
    const entries: FinalEntry[] = [
      ...finalists.map(({ id, expression }) => ({ id, metric: `candidate ${id}`, expression })),
      ...this.plan.baselines,
    ];
    const pending = entries.map((entry) => {
      const known = this.history.finalist(entry);
      return known ? { known } : { event: evaluateFinalist(this.pool, this.plan, entry).then(this.portable) };
    });
    // One that fails while an earlier one is waited for is reported when its turn comes.
    for (const { event } of pending) event?.catch(ignore);
    const byId = new Map<number, FinalistEvent>();
    for (const { known, event } of pending) {
      const result = known ?? (await event);
      if (!known) await this.append(result);
      if (result.id !== undefined) byId.set(result.id, result);
    }
    return byId;
  }

  /** A journal means the same in another clone of the workspace. */
  private readonly portable = (event: FinalistEvent): FinalistEvent => {
    const { result, test, ...about } = event;
    const { root } = this.folder;
    return {
      ...about,
      ...(result && { result: portableResult(root, result) }),
      ...(test && { test: portableResult(root, test) }),
    };
  };

  private async append(...events: readonly SearchEvent[]): Promise<void> {
    const records = await this.journal.append(events);
    for (const record of records) this.options.onEvent?.(record);
  }
}

/** Ids, the best on the fitness text as finally evaluated first; those that failed there last, as the search had them. */
function inOrder(finalists: readonly Finalist[], results: ReadonlyMap<number, FinalistEvent>): readonly number[] {
  const perplexity = (id: number): number => results.get(id)?.result?.perplexity ?? Infinity;
  const order = new Map(finalists.map(({ id }, i) => [id, i]));
  return finalists.map(({ id }) => id).sort((a, b) => perplexity(a) - perplexity(b) || order.get(a)! - order.get(b)!);
}

/** A log that cannot be written stops nothing. */
function logTo(file: string, text: string): void {
  try {
    appendFileSync(file, text);
  } catch {
    // The journal tells of disks that are full.
  }
}

function ignore(): void {
  // Nobody asked to be told.
}
