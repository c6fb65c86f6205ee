import type { SeenWorker } from '../../experiment/seenWorker.ts';
import { EspalierError, toErrorData } from '../../base/errors.ts';
import type { ErrorData } from '../../base/errors.ts';
import type { Ask, AskLanguageModel, RequestHooks } from '../../protocol/requests.ts';
import type { LlmAccess } from '../llm/languageModels.ts';
import type { AskedQueue } from '../queue/queueAccess.ts';
import type { Clock } from '../../base/clock.ts';
import type { Supervisor } from '../worker/supervisor.ts';
import type { Driving } from './runState.ts';

/** A worker process that drives one run, with bounded restarts: the supervisor. */
export interface SearchWorker {
  readonly search: Ask<'search'>;
  /** Lets it release its device. */
  stop(): Promise<void>;
  /** Ends it now. */
  dispose(): void;
}

export function searchWorker(supervisor: Supervisor): SearchWorker {
  return {
    search: supervisor.asking('search'),
    stop: () => supervisor.stop(),
    dispose: () => {
      supervisor.dispose();
    },
  };
}

export interface SearchRunnerOptions {
  readonly newWorker: () => SearchWorker;
  /** Folders of the runs that this window drives: they are gone on with when it is opened again. */
  readonly memory: { get(): readonly string[]; set(folders: readonly string[]): void };
  /** Which language model the run may ask, and with what key; it goes to the run's process by message alone. */
  readonly llmAccess: (folder: string) => Promise<LlmAccess>;
  /** The editor's own language model, for runs that may ask it. */
  readonly askLanguageModel: AskLanguageModel;
  /** Where runs are asked, for each time that one is driven: a queue, or undefined for this machine. */
  readonly queue: () => Promise<AskedQueue | undefined>;
  readonly clock: Clock;
  readonly log: (message: string) => void;
  /** Something about a run is new: what this window does with it, or what is in its journal. */
  readonly onChange: (folder: string) => void;
  /** A run ended by itself. */
  readonly onEnd: (folder: string, end: 'finished' | 'paused' | { readonly error: ErrorData }) => void;
}

/** The queue that a run is asked over. */
export interface DrivenQueue {
  /** As somebody wrote it, without a password. */
  readonly address: string;
  readonly shown: string;
  readonly hasPassword: boolean;
  /** Who is there; undefined until anything was heard. */
  readonly workers: readonly SeenWorker[] | undefined;
}

interface DrivenRun {
  readonly controller: AbortController;
  readonly worker: SearchWorker;
  state: Driving;
  queue?: DrivenQueue | undefined;
  /** It is to be paused, and then gone on with. */
  again: boolean;
}

/** The process of a window that was just closed may live a moment longer: milliseconds until its run counts as somebody else's. */
const HANDOVER = 15_000;
const HANDOVER_STEP = 500;

/** Drives the runs of this window, each by a worker process of its own; a worker that dies is replaced and the run goes on. */
export class SearchRunner {
  private readonly options: SearchRunnerOptions;
  private readonly drives = new Map<string, DrivenRun>();
  private readonly errors = new Map<string, ErrorData>();
  private disposed = false;

  constructor(options: SearchRunnerOptions) {
    this.options = options;
  }

  /** What this window does with a run now. */
  drivingOf(folder: string): Driving | undefined {
    return this.drives.get(folder)?.state;
  }

  /** Why this window could not go on with a run, until it is tried again. */
  errorOf(folder: string): ErrorData | undefined {
    return this.errors.get(folder);
  }

  /** The queue that a run is asked over now; undefined where this machine computes it, or nobody does. */
  queueOf(folder: string): DrivenQueue | undefined {
    return this.drives.get(folder)?.queue;
  }

  get folders(): readonly string[] {
    return [...this.drives.keys()];
  }

  /** Begins a run, or goes on with it. Driving what is driven already changes nothing. */
  drive(folder: string): void {
    if (this.drives.has(folder) || this.disposed) return;
    this.errors.delete(folder);
    const drive: DrivenRun = {
      controller: new AbortController(),
      worker: this.options.newWorker(),
      state: { kind: 'starting' },
      again: false,
    };
    this.drives.set(folder, drive);
    this.remember(folder, true);
    this.options.onChange(folder);
    void this.run(folder, drive);
  }

  /** What is being evaluated comes to its end, and the journal says that it was a pause. */
  pause(folder: string): void {
    const drive = this.drives.get(folder);
    if (!drive) return;
    this.change(folder, drive, { kind: 'pausing' });
    drive.controller.abort();
  }

  /** Pauses a run and goes on with it: whom it asks is looked up anew. */
  driveAgain(folder: string): void {
    const drive = this.drives.get(folder);
    if (!drive) return;
    drive.again = true;
    this.pause(folder);
  }

  /** Ends the run's processes at once; its journal has all that was evaluated. */
  stop(folder: string): void {
    const drive = this.drives.get(folder);
    if (!drive) return;
    drive.again = false;
    this.change(folder, drive, { kind: 'pausing' });
    drive.controller.abort();
    drive.worker.dispose();
  }

  /** Goes on with what this window drove before it was reloaded or closed. */
  resumeRemembered(): void {
    for (const folder of this.options.memory.get()) this.drive(folder);
  }

  /** The window goes away: all processes end now, and what ran is remembered. */
  dispose(): void {
    this.disposed = true;
    for (const { worker } of this.drives.values()) worker.dispose();
  }

  private async run(folder: string, drive: DrivenRun): Promise<void> {
    const { log, onEnd, onChange } = this.options;
    let end: Parameters<typeof onEnd>[1];
    try {
      await this.searchUntilSettled(folder, drive);
      end = drive.controller.signal.aborted ? 'paused' : 'finished';
    } catch (thrown) {
      const error = toErrorData(thrown, 'searching');
      end = error.code === 'cancelled' || drive.controller.signal.aborted ? 'paused' : { error };
    }
    if (this.disposed) return;
    if (typeof end === 'object') {
      this.errors.set(folder, end.error);
      log(`search of ${folder}: ${end.error.code}: ${end.error.actual}`);
    } else log(`search of ${folder} ${end}`);
    this.drives.delete(folder);
    this.remember(folder, false);
    if (drive.again && end === 'paused') this.drive(folder);
    else {
      onChange(folder);
      onEnd(folder, end);
    }
    await drive.worker.stop();
    drive.worker.dispose();
  }

  private async searchUntilSettled(folder: string, drive: DrivenRun): Promise<void> {
    const { clock, log } = this.options;
    const { controller, worker } = drive;
    const begin = clock.now();
    const hooks: RequestHooks = {
      signal: controller.signal,
      onProgress: ({ detail, done, total }) => {
        // Later it is told of a queue alone: that its server is gone, or nobody is there.
        if (drive.state.kind === 'running' && drive.queue) this.change(folder, drive, { kind: 'running', detail });
        if (drive.state.kind !== 'starting') return;
        this.change(folder, drive, { kind: 'starting', detail, ...(total > 0 && { share: done / total }) });
      },
      onGrew: (_, kind) => {
        // Baselines and what follows are the search itself.
        const hasBegun = drive.state.kind === 'starting' && kind !== 'resumed';
        const waits = drive.state.kind === 'running' && drive.state.detail !== undefined;
        if (hasBegun || waits) this.change(folder, drive, { kind: 'running' });
        else this.options.onChange(folder);
      },
      onWorkers: (workers) => {
        if (!drive.queue) return;
        drive.queue = { ...drive.queue, workers };
        this.options.onChange(folder);
      },
    };
    for (;;) {
      try {
        const { grant, editor } = await this.options.llmAccess(folder);
        const queue = await this.options.queue();
        this.ask(folder, drive, queue);
        await worker.search(
          { folder, ...(grant && { llm: grant }), ...(queue && { queue: queue.grant }) },
          editor ? { ...hooks, askLanguageModel: this.options.askLanguageModel } : hooks,
        );
        return;
      } catch (error) {
        if (!(error instanceof EspalierError) || controller.signal.aborted) throw error;
        const isHandover = error.code === 'runs/in-use' && clock.now() - begin < HANDOVER;
        // Restarts are bounded by whoever keeps the worker: it says `worker/gave-up` in the end.
        if (!isHandover && error.code !== 'worker/exited') throw error;
        log(`search of ${folder}: ${error.message}`);
        this.change(folder, drive, { kind: 'starting' });
        if (isHandover) await new Promise<void>((resolve) => clock.after(HANDOVER_STEP, resolve));
      }
    }
  }

  private ask(folder: string, drive: DrivenRun, queue: AskedQueue | undefined): void {
    if (queue) {
      const { grant, shown } = queue;
      const hasPassword = grant.password !== undefined;
      drive.queue = { address: grant.address, shown, hasPassword, workers: undefined };
    } else drive.queue = undefined;
    this.options.onChange(folder);
  }

  private change(folder: string, drive: DrivenRun, state: Driving): void {
    drive.state = state;
    this.options.onChange(folder);
  }

  private remember(folder: string, isDriven: boolean): void {
    const { memory } = this.options;
    const others = memory.get().filter((other) => other !== folder);
    memory.set(isDriven ? [...others, folder] : others);
  }
}
