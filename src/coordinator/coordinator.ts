import { closeSync, writeSync } from 'node:fs';
import path from 'node:path';
import { cancelledError, EspalierError, toErrorData } from '../base/errors.ts';
import { printable } from '../base/printable.ts';
import type { NumberedDevice } from '../experiment/numberedDevice.ts';
import type { SeenWorker } from '../experiment/seenWorker.ts';
import type { EvaluationProgress, PerplexityResult } from '../experiment/resultSchema.ts';
import { workersOf } from '../search/kinds.ts';
import type { RunEvent, RunKind, RunPlan } from '../search/kinds.ts';
import { openToAppendSync } from '../files/openRegular.ts';
import type { LanguageModelAccess } from '../llm/connect.ts';
import type { WorkerProcess } from '../protocol/workerProcess.ts';
import type { QueueAddress } from '../queue/queueAddress.ts';
import { Journal } from '../runs/journal.ts';
import { portableResult } from '../runs/evaluationRecord.ts';
import type { JournalOptions } from '../runs/journal.ts';
import type { JournalRecord } from '../runs/journalLine.ts';
import { JOURNAL_FILE, LOG_FILE, runName } from '../runs/runFolder.ts';
import type { RunFolder } from '../runs/runFolder.ts';
import { lockRun } from '../runs/runLock.ts';
import type { RunLock } from '../runs/runLock.ts';
import { checkRunFolder, fileOfRun } from '../runs/runPath.ts';
import { planOf } from '../runs/runRecord.ts';
import { SYSTEM_CLOCK } from './clock.ts';
import type { Clock } from './clock.ts';
import type { CrashLimits } from './crashBudget.ts';
import { MaskRun } from './maskRun.ts';
import { MetricRun } from './metricRun.ts';
import { RateRun } from './rateRun.ts';
import { RecoveryRun } from './recoveryRun.ts';
import { RunPools } from './runPools.ts';
import { timedPlan } from './timedPlan.ts';
import type { EndOf, SearchRun } from './searchRun.ts';
import type { SearchOpening } from '../search/lifecycle/events.ts';

export interface SearchRunOptions {
  /** Forks one worker of the pool, on one device of several where they are named. */
  readonly spawn: (device?: NumberedDevice) => WorkerProcess;
  /** Pauses the run: it is acknowledged at once, and the workers are gone when the run settles. */
  readonly signal: AbortSignal;
  /** Processes, where not as many as the plan says; they do not change what is found. */
  readonly workers?: number;
  /** Where the questions are asked, in the place of processes here; who answers does not change what is found either. */
  readonly queue?: QueueAddress;
  /** Told who there is to answer over the queue, whenever something about one is new. */
  readonly onWorkers?: (workers: readonly SeenWorker[]) => void;
  /** Devices of this machine, of one kind, each for a process of its own: in the place of `workers`. */
  readonly devices?: readonly NumberedDevice[];
  /** How the language model of the plan is reached; only a search that has one needs it. */
  readonly languageModel?: LanguageModelAccess;
  /** Told of each event when it is on the disk, in the order of the journal; not of those that were there before. */
  readonly onEvent?: (record: JournalRecord) => void;
  /** How far the opening of the search is. */
  readonly onProgress?: (progress: EvaluationProgress) => void;
  readonly log?: (line: string) => void;
  /** Told of each event that was there before, once nobody else can add any. */
  readonly onRecalled?: (record: JournalRecord) => void;
  /** Told, in a sentence, what takes a while that nobody expects: finding out whether whoever drove the run before is still there, say. */
  readonly onWait?: (message: string) => void;
  /** Goes on from what stands before the damage of a journal; the journal as it was is kept beside. */
  readonly recover?: boolean;
  /** Told where. */
  readonly onRecovered?: (aside: string) => void;
  readonly clock?: Clock;
  readonly limits?: CrashLimits;
  readonly openFile?: JournalOptions['openFile'];
}

export type RunOutcome =
  | { readonly kind: 'finished'; readonly finished: EndOf<RunKind> }
  /** Resume it when it suits. */
  | { readonly kind: 'paused' };

/**
 * Runs a search, from its beginning or on from where its journal ends, until it is finished or paused. What happens is in the journal
 * before anybody is told. However often a run is paused or killed, it comes to the very same end; of one that asks a language model, as far as
 * no reply was lost on the way.
 *
 * @throws EspalierError what the run failed with; the journal says it too, and the run can be resumed. `runs/in-use`, `runs/damaged`,
 * `runs/changed`, and `queue/unreachable` or `queue/refused` of a queue that is named, where it was not begun at all; `runs/in-use`, too,
 * where this process slept so long that another took over: the journal is then the other's, and nothing more is written here
 */
export async function runSearchOf(run: RunFolder, options: SearchRunOptions): Promise<RunOutcome> {
  await checkRunFolder(run.folder, `opening the run ${runName(run)}`);
  const { clock = SYSTEM_CLOCK, openFile, recover = false, signal, onWait } = options;
  const lock = await lockRun(run.folder, { signal, ...(onWait && { onWait }) });
  try {
    const plan = planOf(run.record, run.root);
    const search = searchOf(plan, run, options);
    let before = 0;
    let opened: SearchOpening | undefined;
    let end: EndOf<RunKind> | undefined;
    const { journal } = await Journal.open(path.join(run.folder, JOURNAL_FILE), run.record, {
      now: () => clock.wall(),
      check: () => lock.check(),
      recover,
      onRecovered: (aside) => {
        options.log?.(`the damaged journal is kept as ${aside}`);
        options.onRecovered?.(aside);
      },
      ...(openFile && { openFile }),
      // One by one: those of a large model are not held all at once.
      onRecord: (record) => {
        const { event } = record;
        before++;
        if (event.kind === 'opened') opened = event;
        if (event.kind === 'finished') end = event;
        search.recall(event);
        options.onRecalled?.(record);
      },
    });
    try {
      if (end) return { kind: 'finished', finished: end };
      const asked = await timedPlan(plan, search.measured ? opened : undefined, {
        spawn: options.spawn,
        clock,
        signal,
        log: options.log ?? ignore,
      });
      return await new Coordinator({ run, plan: asked, search, opened, lock, journal, options }).run(before > 0);
    } catch (error) {
      if (signal.aborted && error instanceof EspalierError && error.code === 'cancelled') return { kind: 'paused' };
      throw error;
    } finally {
      await journal.close();
    }
  } finally {
    await lock.release();
  }
}

function searchOf(plan: RunPlan, run: RunFolder, { languageModel = {} }: SearchRunOptions): SearchRun {
  switch (plan.kind) {
    case 'metrics':
      return new MetricRun(plan, { run, languageModel });
    case 'rates':
      return new RateRun(plan, { run, languageModel });
    case 'masks':
      return new MaskRun(plan);
    case 'recovery':
      return new RecoveryRun(plan, run.folder);
  }
}

interface CoordinatorParts {
  readonly run: RunFolder;
  /** With absolute paths. */
  readonly plan: RunPlan;
  readonly search: SearchRun;
  /** What the journal says of the model already. */
  readonly opened: SearchOpening | undefined;
  readonly lock: RunLock;
  readonly journal: Journal;
  readonly options: SearchRunOptions;
}

/** The life of a run, whatever it searches for. */
class Coordinator {
  private readonly parts: CoordinatorParts;
  private readonly clock: Clock;
  private readonly pools: RunPools;
  /** The run is to pause, or another process drives it. */
  private readonly stop: AbortSignal;
  private opening: SearchOpening | undefined;

  constructor(parts: CoordinatorParts) {
    const { plan, search, lock, options } = parts;
    const { clock = SYSTEM_CLOCK, devices, limits, queue, spawn } = options;
    const workers = devices?.length ?? options.workers ?? workersOf(plan);
    this.parts = parts;
    this.clock = clock;
    this.stop = AbortSignal.any([options.signal, lock.lost]);
    this.opening = search.measured ? parts.opened : undefined;
    this.pools = new RunPools({
      ...{ run: parts.run, plan, workers, spawn, clock, signal: this.stop },
      ...(devices && { devices }),
      ...(queue && { queue }),
      log: (line) => {
        this.log(line);
      },
      say: (message) => {
        this.say(message);
      },
      onProgress: options.onProgress ?? ignore,
      onWorkers: options.onWorkers ?? ignore,
      onOpened: (opening) => {
        this.checkOpening(opening);
      },
      opening: () => this.opening,
      ...(limits && { limits }),
    });
  }

  /** @param goesOn whether the journal has anything from before */
  async run(goesOn: boolean): Promise<RunOutcome> {
    const { signal } = this.parts.options;
    const { lost } = this.parts.lock;
    // What is wrong with a queue is found out before anything of the run is written.
    await this.pools.prepare();
    const abort = (): void => {
      void this.pools.dispose(lost.aborted ? (lost.reason as EspalierError) : cancelledError('searching'));
    };
    this.stop.addEventListener('abort', abort, { once: true });
    if (this.stop.aborted) abort();
    try {
      if (goesOn) await this.append({ kind: 'resumed' });
      const finished = await this.search();
      await this.append(finished);
      return { kind: 'finished', finished };
    } catch (thrown) {
      lost.throwIfAborted();
      const error = toErrorData(thrown, 'running a search');
      if (signal.aborted && error.code === 'cancelled') {
        await this.append({ kind: 'paused' });
        return { kind: 'paused' };
      }
      // Where the journal itself is what failed, the caller alone is told.
      await this.append({ kind: 'failed', error }).catch(ignore);
      throw thrown instanceof EspalierError ? thrown : new EspalierError(error, { cause: thrown });
    } finally {
      this.stop.removeEventListener('abort', abort);
      await this.pools.dispose(cancelledError('searching'));
    }
  }

  private async search(): Promise<EndOf<RunKind>> {
    const { run, search } = this.parts;
    const opening = this.opening ?? (await this.open());
    return search.run(opening, {
      pool: this.pools.searching,
      evaluating: () => this.pools.evaluating(),
      signal: this.stop,
      clock: this.clock,
      append: (...events) => this.append(...events),
      say: (message) => {
        this.say(message);
      },
      portable: (result) => withoutThreads(portableResult(run.root, result)),
    });
  }

  /** Opens the search where nothing was measured yet. */
  private async open(): Promise<SearchOpening> {
    const { search, opened } = this.parts;
    await search.prepare?.();
    const opening = await this.pools.searching.open();
    // Workers open what the plan asks: the opening is that of its kind.
    if (opened?.fingerprint !== opening.fingerprint) await this.append({ kind: 'opened', ...opening });
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

  private say(message: string): void {
    this.log(message);
    this.parts.options.onWait?.(message);
  }

  private log(line: string): void {
    const { run, lock, options } = this.parts;
    options.log?.(line);
    if (lock.lost.aborted) return;
    logTo(path.join(run.folder, LOG_FILE), `${new Date(this.clock.wall()).toISOString()} ${printable(line)}\n`);
  }

  private async append(...events: readonly RunEvent[]): Promise<void> {
    const { journal, options } = this.parts;
    const records = await journal.append(events);
    for (const record of records) options.onEvent?.(record);
  }
}

/** A log that cannot be written stops nothing. */
function logTo(file: string, text: string): void {
  try {
    const descriptor = openToAppendSync(file, fileOfRun(file));
    try {
      writeSync(descriptor, text);
    } finally {
      closeSync(descriptor);
    }
  } catch {
    // The journal tells of disks that are full.
  }
}

function ignore(): void {
  // Nobody asked to be told.
}

/** A result as every worker gives it, whatever its share of the threads is. */
function withoutThreads({ provenance, ...result }: PerplexityResult): PerplexityResult {
  return { ...result, provenance: { ...provenance, deviceName: provenance.device } };
}
