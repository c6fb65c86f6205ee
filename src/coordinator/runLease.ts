import { hostname } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { cancelledError, EspalierError } from '../base/errors.ts';
import { VERSION } from '../base/version.ts';
import { BEAT, Beats, SILENCE } from '../queue/beats.ts';
import type { Directory } from '../queue/directory.ts';
import type { RunClass, RunEntry } from '../queue/wire.ts';

export interface LeaseOptions {
  /** Ends the waiting for whoever had it. */
  readonly signal: AbortSignal;
  /** Told where it takes a while to find out whether whoever had it is still there. */
  readonly say: (message: string) => void;
  readonly log: (line: string) => void;
}

/** Milliseconds between two looks at another's beat, and after which of several that took over at the same moment one is left. */
const GLANCE = 1000;
const MOMENT = 300;
/** Looks at an entry that is there and cannot be read. */
const ATTEMPTS = 3;

/** The entry of a run in the directory, as long as this process drives it: raised with each beat, put back where the server has forgotten it. */
export class RunLease {
  private readonly runs: Directory['runs'];
  private readonly log: (line: string) => void;
  private readonly controller = new AbortController();
  private readonly timer: NodeJS.Timeout;
  private entry: RunEntry;
  /** One write after the other. */
  private writing: Promise<void> = Promise.resolve();

  private constructor(runs: Directory['runs'], entry: RunEntry, log: (line: string) => void) {
    this.runs = runs;
    this.entry = entry;
    this.log = log;
    this.timer = setInterval(() => {
      void this.write({});
    }, BEAT).unref();
  }

  /**
   * Makes this process the only one that asks a run's questions. Who drives the run from another machine has it until its beat stands still; a process
   * of this machine that is gone has it no more.
   *
   * @throws EspalierError `runs/in-use` that names who has it, `queue/version` for an entry of another format, `cancelled`
   */
  static async claim(runs: Directory['runs'], entry: RunEntry, { signal, say, log }: LeaseOptions): Promise<RunLease> {
    const beats = new Beats(2 * GLANCE);
    let first: RunEntry | undefined;
    for (let unread = 0; ;) {
      const there = await runs.claim(entry);
      if (there?.owner.id === entry.owner.id) return new RunLease(runs, entry, log);
      if (!there) {
        if (++unread === ATTEMPTS) throw foreignError(entry);
        continue;
      }
      const silent = beats.look(there.key, beatOf(there));
      if (isGone(there) || silent >= SILENCE) {
        await runs.put(entry);
        await pause(MOMENT);
        first = undefined;
        continue;
      }
      if (!first)
        say(
          `${nameOf(there)} may still drive this run; it goes on here when its beat stands still for ${SILENCE / 1000} s`,
        );
      first ??= there;
      if (beatOf(first) !== beatOf(there)) throw inUseError(entry, there);
      if (signal.aborted) throw cancelledError(`waiting for ${nameOf(there)}`);
      await pause(GLANCE);
    }
  }

  /** Aborted when the entry is another's, with that error as its reason. */
  get lost(): AbortSignal {
    return this.controller.signal;
  }

  /** Tells workers what the first of them has found. */
  classify(found: RunClass): Promise<void> {
    return this.write({ class: found });
  }

  /** Beats no more. @returns whether the entry is still ours: whoever took over needs the run's queue */
  async end(): Promise<boolean> {
    clearInterval(this.timer);
    await this.writing;
    return !this.lost.aborted && (await this.runs.get(this.entry.key))?.owner.id === this.entry.owner.id;
  }

  remove(): Promise<void> {
    return this.runs.remove(this.entry.key);
  }

  private write(change: Partial<Pick<RunEntry, 'class'>>): Promise<void> {
    this.writing = this.writing
      .then(async () => {
        if (this.lost.aborted) return;
        const there = await this.runs.get(this.entry.key);
        if (there && there.owner.id !== this.entry.owner.id) {
          clearInterval(this.timer);
          this.controller.abort(inUseError(this.entry, there));
          return;
        }
        this.entry = { ...this.entry, ...change, beat: this.entry.beat + 1, seenAt: Date.now() };
        await this.runs.put(this.entry);
      })
      .catch((error: unknown) => {
        this.log(`beat of the run: ${String(error)}`);
      });
    return this.writing;
  }
}

/** Whether its owner was a process of this machine, and is none any more. */
function isGone({ owner: { host, pid } }: RunEntry): boolean {
  if (host !== hostname()) return false;
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}

function beatOf({ owner, beat }: RunEntry): string {
  return `${owner.id} ${beat}`;
}

function nameOf({ owner: { host, pid } }: RunEntry): string {
  return `process ${pid} on ${host}`;
}

function inUseError({ title }: RunEntry, there: RunEntry): EspalierError {
  return new EspalierError({
    code: 'runs/in-use',
    operation: `asking the questions of ${title} over a queue`,
    expected: 'a run that nobody else drives',
    actual: `one that is driven by ${nameOf(there)}`,
    remedy: 'Pause it there first, or watch it there.',
  });
}

function foreignError({ title, key }: RunEntry): EspalierError {
  return new EspalierError({
    code: 'queue/version',
    operation: `asking the questions of ${title} over a queue`,
    expected: `what Espalier ${VERSION} says of a run there`,
    actual: 'an entry of another version',
    remedy: `Use one version on all machines. Where nobody drives the run any more: espalier queue --forget ${key}`,
  });
}
