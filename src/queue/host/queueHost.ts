import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { cancelledError, EspalierError, toErrorData } from '../../base/errors.ts';
import { VERSION } from '../../base/version.ts';
import type { WorkerProcess } from '../../protocol/workerProcess.ts';
import { BEAT } from '../beats.ts';
import type { Directory } from '../directory.ts';
import type { QueueServer } from '../queueServer.ts';
import { QUEUE_FORMAT } from '../wire.ts';
import type { RunEntry, WorkerEntry } from '../wire.ts';
import { chooseRun, mayLeave } from './chooseRun.ts';
import type { RunChoice, Turn } from './chooseRun.ts';
import { classError, Desk } from './desk.ts';
import { DirectoryView, isOurVersion } from './directoryView.ts';
import { EngineChild } from './engineChild.ts';
import { isOfThisMachine } from './faultPlace.ts';
import type { EndedWhy, HostEvent, HostStatus, LeftWhy } from './hostEvents.ts';
import { openRun } from './openedRun.ts';
import type { OpenedRun, Place } from './openedRun.ts';
import { Presence } from './presence.ts';
import { Refusals } from './refusals.ts';
import { Throughput } from './throughput.ts';
import { Bell } from './bell.ts';

export interface QueueHostOptions {
  readonly server: QueueServer;
  readonly directory: Directory;
  readonly place: Place;
  /** What tells it from others. */
  readonly name: string;
  /** Its device as a person names it, before it has opened anything. */
  readonly device: string;
  readonly spawn: () => WorkerProcess;
  /** Aborted when it is to leave. */
  readonly signal: AbortSignal;
  /** Milliseconds that what it works on gets when it is to leave, before it is given back. */
  readonly grace: number;
  /** Milliseconds without work after which it leaves by itself. */
  readonly untilIdle?: number | undefined;
  readonly onEvent: (event: HostEvent) => void;
  readonly onStatus: (status: HostStatus) => void;
  readonly log: (line: string) => void;
  /** Other times than the usual, for tests. */
  readonly times?: Partial<HostTimes>;
}

export interface HostTimes {
  /** Milliseconds between two looks at the directory. */
  readonly look: number;
  readonly beat: number;
  /** Milliseconds without a beat after which an owner counts as gone. */
  readonly silence: number;
}

const TIMES: HostTimes = { look: 2000, beat: BEAT, silence: 30_000 };

/** Milliseconds that an engine gets to stop what nobody waits for, before it is ended. */
const STOPPING = 2000;
/** Milliseconds for giving a question back to a server that may be gone. */
const GIVING_BACK = 3000;

/** Answers questions of runs with one engine, one run after the other, until it is to leave. */
export class QueueHost {
  private readonly options: QueueHostOptions;
  private readonly times: HostTimes;
  private readonly engine: EngineChild;
  private readonly view: DirectoryView;
  private readonly presence: Presence;
  private readonly throughput = new Throughput();
  private readonly refusals = new Refusals();
  private readonly servedAt = new Map<string, number>();
  private readonly bell = new Bell();
  /** Resolves when it is to leave. */
  private readonly over: Promise<undefined>;
  private readonly stopWatching: () => void;
  private ended: EndedWhy | undefined;
  /** When it last had work, and whether it has some now. */
  private workedAt = performance.now();
  private isBusy = false;

  constructor(options: QueueHostOptions) {
    const { server, directory, spawn, log, signal } = options;
    this.options = options;
    this.times = { ...TIMES, ...options.times };
    this.engine = new EngineChild(spawn, log);
    this.view = new DirectoryView(server, directory, this.times.silence);
    const measure = (): Pick<WorkerEntry, 'answered' | 'perMinute'> => ({
      answered: this.throughput.total,
      perMinute: this.throughput.perMinute,
    });
    this.presence = new Presence(directory, firstEntry(options), measure, this.times.beat);
    let stopWatching: (() => void) | undefined;
    this.over = new Promise((resolve) => {
      const look = (): void => {
        if (!this.isOver()) return;
        resolve(undefined);
        this.bell.ring();
      };
      signal.addEventListener('abort', look);
      const timer = setInterval(look, this.times.look);
      stopWatching = () => {
        clearInterval(timer);
        signal.removeEventListener('abort', look);
      };
    });
    this.stopWatching = () => stopWatching?.();
  }

  /**
   * Resolves when it has left, with why.
   *
   * @throws EspalierError `worker/start-failed`, `worker/exited`, `device/unavailable` where no engine can be started
   */
  async run(): Promise<EndedWhy> {
    const { device, place, onEvent } = this.options;
    try {
      // Before any run is taken: what cannot start here is told at once.
      await this.engine.request('workClass', { device: place.device ?? 'cpu', precision: 'float32' });
      onEvent({ kind: 'started', device, threads: place.threads });
      while (!this.isOver()) {
        const entry = await this.next();
        if (entry) await this.serve(entry);
      }
      const why = this.ended ?? 'asked';
      onEvent({ kind: 'ended', why, answered: this.throughput.total });
      return why;
    } finally {
      this.stopWatching();
      this.engine.dispose(cancelledError('working for a queue'));
      await this.presence.close();
      await Promise.race([this.view.close(), delay(GIVING_BACK)]);
    }
  }

  /** Waits for a run to work for. */
  private async next(): Promise<RunEntry | undefined> {
    await this.say('idle');
    while (!this.isOver()) {
      const seen = await this.orOver(this.look());
      const chosen = seen && (await this.orOver(this.choose(seen.living, undefined)));
      if (chosen) return chosen;
      await this.bell.wait(this.times.look);
    }
    return undefined;
  }

  private async serve(entry: RunEntry): Promise<void> {
    const { key, title, owner } = entry;
    await this.say('opening', entry);
    const opened = await this.open(entry);
    const now = await this.orOver(this.options.directory.runs.get(key));
    if (!opened || !now) {
      if (!this.isOver()) await this.orOver(this.view.clear(key));
      return;
    }
    const problem = problemOf(opened, now);
    if (problem) {
      await this.refuse(now, problem);
      return;
    }
    if (!(opened instanceof EspalierError)) {
      const { seconds, class: of } = opened;
      await this.orOver(this.presence.say({ of: of.of }));
      const asks = `${owner.host}, process ${owner.pid}`;
      this.options.onEvent({ kind: 'took', run: key, title, owner: asks, seconds, of: of.of });
    }
    const began = performance.now();
    const before = this.throughput.total;
    const why = await this.answer(now, opened);
    this.servedAt.set(key, performance.now());
    const answered = this.throughput.total - before;
    this.options.onEvent({ kind: 'left', run: key, title, why, answered, seconds: (performance.now() - began) / 1000 });
  }

  /** @returns what was found, or why it cannot be opened; undefined where nobody wants to know any more */
  private async open(entry: RunEntry): Promise<OpenedRun | EspalierError | undefined> {
    const stopped = new AbortController();
    const state = { isOpening: true };
    this.isBusy = true;
    void this.watch(entry.key, state).then(async (isOver) => {
      if (!isOver) return;
      stopped.abort();
      await delay(STOPPING);
      if (state.isOpening) this.engine.end(cancelledError('opening a run of the queue'));
    });
    try {
      return await openRun(entry, this.engine, this.options.place, stopped.signal);
    } catch (thrown) {
      return stopped.signal.aborted ? undefined : codedOf(thrown);
    } finally {
      state.isOpening = false;
      this.worked(false);
    }
  }

  /** @returns whether it is over before it is open */
  private async watch(key: string, state: { readonly isOpening: boolean }): Promise<boolean> {
    while (state.isOpening && !this.isOver()) {
      await Promise.race([this.over, delay(this.times.look)]);
      const seen = await this.orOver(this.look());
      if (seen && !seen.living.some((run) => run.key === key)) return true;
    }
    return state.isOpening;
  }

  private async answer(entry: RunEntry, opened: OpenedRun | EspalierError): Promise<LeftWhy> {
    const { server, place, name, directory, onEvent } = this.options;
    const { key, title } = entry;
    const refused: EspalierError[] = [];
    const desk = new Desk({
      ...{ server, place, entry, opened, engine: this.engine },
      me: { id: this.presence.entry.id, name, version: VERSION },
      lookUp: () => directory.runs.get(key),
      onBegun: () => {
        this.worked(true);
        this.tell('answering', entry);
      },
      onEnded: (answered) => {
        if (answered) this.throughput.answered();
        this.worked(false);
        this.tell('answering', entry);
      },
      onExited: (error) => {
        onEvent({ kind: 'exited', run: key, title, error: error.data });
      },
      onRefused: (error) => {
        refused.push(error);
        this.bell.ring();
      },
    });
    await this.say('answering', entry);
    desk.run();
    const opening = opened instanceof EspalierError ? 0 : 1000 * opened.seconds;
    const why = await this.untilLeft(key, opening, refused);
    if (why === 'leaving') await this.say('leaving', entry);
    await this.leave(desk, why);
    const [error] = refused;
    const now = error || why === 'over' ? await this.orOver(directory.runs.get(key)) : entry;
    if (error) await this.refuse(now ?? entry, error);
    // What was taken while it ended has come back since: nobody else removes that.
    if (!now && !this.isOver()) await this.orOver(this.view.clear(key));
    return why;
  }

  private async untilLeft(key: string, opening: number, refused: readonly EspalierError[]): Promise<LeftWhy> {
    const began = performance.now();
    for (;;) {
      await this.bell.wait(this.times.look);
      if (refused.length > 0) return 'refused';
      if (this.isOver()) return 'leaving';
      const seen = await this.orOver(this.look());
      if (!seen) continue;
      if (seen.silent.some((run) => run.key === key)) return 'silent';
      if (!seen.living.some((run) => run.key === key)) return 'over';
      const now = performance.now();
      const dry = this.isBusy ? 0 : now - this.workedAt;
      const turn: Turn = { key, opening, dry, lasted: now - began };
      const chosen = await this.orOver(this.choose(seen.living, turn));
      if (chosen && chosen.key !== key) return 'turn';
    }
  }

  private async leave(desk: Desk, why: LeftWhy): Promise<void> {
    const closed = desk.close();
    const patience = why === 'leaving' ? this.options.grace : why === 'over' ? 0 : Infinity;
    if (patience === Infinity) {
      // Its question comes to its end, unless this worker is to leave meanwhile.
      await Promise.race([closed, this.over]);
      if (!this.isOver()) return;
    }
    const first = Math.min(patience, this.options.grace);
    const isClosed = await Promise.race([closed.then(() => true), delay(first).then(() => false)]);
    if (isClosed) return;
    if (why === 'over') {
      desk.abandon();
      if (await Promise.race([closed.then(() => true), delay(STOPPING).then(() => false)])) return;
    }
    desk.giveBack();
    await Promise.race([closed, delay(GIVING_BACK)]);
  }

  /** The run to be at. @param turn at which it is */
  private async choose(living: readonly RunEntry[], turn: Turn | undefined): Promise<RunEntry | undefined> {
    const open = living.filter((entry) => !this.refusals.has(entry));
    const only = open.length <= 1 || (turn && !mayLeave(turn));
    if (only) return turn ? open.find(({ key }) => key === turn.key) : open[0];
    const workers = await this.view.workers();
    const choices: RunChoice[] = [];
    for (const { key } of open) {
      choices.push({
        key,
        waiting: await this.view.waiting(key),
        workers: workers.filter(({ run, state }) => run === key && state !== 'leaving').map(({ id }) => id),
        servedAt: this.servedAt.get(key),
      });
    }
    const chosen = chooseRun(this.presence.entry.id, choices, turn);
    return open.find(({ key }) => key === chosen);
  }

  private async look(): Promise<Awaited<ReturnType<DirectoryView['runs']>>> {
    const seen = await this.view.runs();
    const keys = new Set([...seen.living, ...seen.silent].map(({ key }) => key));
    const changed = this.refusals.keep(keys);
    for (const key of this.servedAt.keys()) if (!keys.has(key)) this.servedAt.delete(key);
    for (const entry of seen.living) {
      if (!isOurVersion(entry) && !this.refusals.has(entry)) await this.refuse(entry, versionError(entry));
    }
    if (changed) await this.presence.say({ refused: this.refusals.list });
    return seen;
  }

  private async refuse(entry: RunEntry, error: EspalierError): Promise<void> {
    this.refusals.add(entry, error);
    this.options.onEvent({ kind: 'refused', run: entry.key, title: entry.title, error: error.data });
    await this.orOver(this.presence.say({ refused: this.refusals.list }));
  }

  private async say(state: WorkerEntry['state'], entry?: RunEntry): Promise<void> {
    this.tell(state, entry);
    const said = this.presence.say({ state, run: entry?.key ?? null });
    await (state === 'leaving' ? Promise.race([said, delay(GIVING_BACK)]) : this.orOver(said));
  }

  private tell(state: WorkerEntry['state'], entry?: RunEntry): void {
    const { total, perMinute } = this.throughput;
    this.options.onStatus({ state, answered: total, perMinute, ...(entry && { title: entry.title }) });
  }

  private worked(isBusy: boolean): void {
    this.isBusy = isBusy;
    this.workedAt = performance.now();
  }

  private isOver(): boolean {
    const { signal, untilIdle = Infinity } = this.options;
    if (signal.aborted) this.ended ??= 'asked';
    else if (!this.isBusy && performance.now() - this.workedAt >= untilIdle) this.ended ??= 'idle';
    return this.ended !== undefined;
  }

  /** What the server says, unless this worker is to leave meanwhile: it may be gone for long. */
  private orOver<Result>(asked: Promise<Result>): Promise<Result | undefined> {
    return Promise.race([asked, this.over]);
  }
}

/** Why this worker does not answer a run that it has opened, or failed to. */
function problemOf(opened: OpenedRun | EspalierError, entry: RunEntry): EspalierError | undefined {
  // Where nobody has opened it yet, what is wrong with the plan itself is the answer to who asks.
  if (opened instanceof EspalierError) return isOfThisMachine(opened.code) || entry.class !== null ? opened : undefined;
  const isOther = entry.class !== null && entry.class.digits !== opened.class.digits;
  return isOther ? classError(entry, opened.class) : undefined;
}

function firstEntry({ name, place }: QueueHostOptions): WorkerEntry {
  const now = Date.now();
  return {
    ...{ format: QUEUE_FORMAT, id: randomUUID(), name, host: hostname(), pid: process.pid, of: null, version: VERSION },
    ...{ threads: place.threads, state: 'idle', run: null, answered: 0, perMinute: 0, refused: [] },
    ...{ startedAt: now, beat: 0, seenAt: now },
  };
}

function versionError({ title, version }: RunEntry): EspalierError {
  return new EspalierError({
    code: 'queue/version',
    operation: `opening ${title} of the queue`,
    expected: `a run of Espalier ${VERSION}, as this worker`,
    actual: `one of ${version}`,
    remedy: 'Use the same version on all machines.',
  });
}

function codedOf(thrown: unknown): EspalierError {
  return thrown instanceof EspalierError
    ? thrown
    : new EspalierError(toErrorData(thrown, 'opening a run of the queue'), { cause: thrown });
}

function delay(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds).unref());
}
