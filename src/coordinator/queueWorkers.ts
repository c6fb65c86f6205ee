import { plainLine } from '../base/plainText.ts';
import type { SeenWorker } from '../experiment/seenWorker.ts';
import { BEAT, Beats, SILENCE } from '../queue/beats.ts';
import type { Directory } from '../queue/directory.ts';
import type { WorkerEntry } from '../queue/wire.ts';

export interface QueueWorkersOptions {
  /** Of the run that they are seen from. */
  readonly key: string;
  /** Address of the queue, without its password. */
  readonly shown: string;
  /** Tells a person. */
  readonly say: (message: string) => void;
  readonly log: (line: string) => void;
  readonly onWorkers: (workers: readonly SeenWorker[]) => void;
  /** There may be more of them than before. */
  readonly onChange: () => void;
}

const LOOK_EVERY = 2000;
/** Milliseconds of silence after which the entry of a worker is removed: one that lives after all puts it back. */
const FORGOTTEN = 120_000;
/** Characters of what a worker says. */
const LONGEST = 600;

interface Seen {
  readonly entry: WorkerEntry;
  /** Milliseconds. */
  readonly silent: number;
}

/** The workers of a queue, as seen from one run: who lives, who answers it, who does not and why. */
export class QueueWorkers {
  private readonly workers: Directory['workers'];
  private readonly options: QueueWorkersOptions;
  private readonly beats = new Beats(2 * LOOK_EVERY);
  /** Questions of the run that each has answered, by its id. */
  private readonly answers = new Map<string, number>();
  private readonly timer: NodeJS.Timeout;
  /** What was said already: once each. */
  private readonly said = new Set<string>();
  private seen: readonly Seen[] = [];
  private told = '';
  private looking = false;

  constructor(workers: Directory['workers'], options: QueueWorkersOptions) {
    this.workers = workers;
    this.options = options;
    this.timer = setInterval(() => void this.look(), LOOK_EVERY).unref();
    void this.look();
  }

  /** How many live and do not refuse the run. */
  get able(): number {
    return this.seen.filter((one) => this.isAble(one)).length;
  }

  /** One of them has answered. */
  count(id: string): void {
    this.answers.set(id, (this.answers.get(id) ?? 0) + 1);
    if (!this.seen.some(({ entry }) => entry.id === id)) void this.look();
  }

  close(): void {
    clearInterval(this.timer);
    this.tell();
  }

  private async look(): Promise<void> {
    // A server that is gone is waited for, for longer than until the next look.
    if (this.looking) return;
    this.looking = true;
    try {
      const { entries, foreign } = await this.workers.list();
      this.beats.keep(new Set(entries.map(({ id }) => id)));
      this.seen = entries.map((entry) => ({ entry, silent: this.beats.look(entry.id, String(entry.beat)) }));
      for (const { entry, silent } of this.seen) if (silent >= FORGOTTEN) await this.workers.remove(entry.id);
      this.sayWhatIsNew(foreign);
      this.tell();
      this.options.onChange();
    } catch (error) {
      this.options.log(`looking for workers: ${String(error)}`);
    } finally {
      this.looking = false;
    }
  }

  private isAble({ entry, silent }: Seen): boolean {
    return silent < SILENCE && this.refusalOf(entry) === undefined;
  }

  private refusalOf({ refused }: WorkerEntry): string | undefined {
    const found = refused.find(({ run }) => run === this.options.key);
    return (
      found && plainLine(`${found.error.code}: expected ${found.error.expected}, got ${found.error.actual}`, LONGEST)
    );
  }

  private sayWhatIsNew(foreign: number): void {
    for (const { entry } of this.seen) {
      const refusal = this.refusalOf(entry);
      if (refusal !== undefined)
        this.sayOnce(`worker ${plainLine(entry.name, LONGEST)} does not answer this run (${refusal})`);
    }
    if (foreign > 0) this.sayOnce(`${foreign} workers there are of another version of Espalier, and are left alone`);
    const nobody = `nobody is there to answer at ${this.options.shown}, and the run waits: start espalier worker --queue there`;
    if (this.able === 0) this.sayOnce(nobody);
    else if (this.said.delete(nobody)) this.options.say(`the run goes on: ${this.able} of the workers can answer it`);
  }

  private sayOnce(message: string): void {
    if (this.said.has(message)) return;
    this.said.add(message);
    this.options.say(message);
  }

  /** Of those that are only a little older than at the last look nothing is told. */
  private tell(): void {
    const workers = this.seen.map((one) => this.shown(one));
    const now = JSON.stringify(workers.map((one) => (one.silent * 1000 < 3 * BEAT ? { ...one, silent: 0 } : one)));
    if (now === this.told) return;
    this.told = now;
    this.options.onWorkers(workers);
  }

  private shown({ entry, silent }: Seen): SeenWorker {
    const { id, name, of, perMinute } = entry;
    const detail = this.refusalOf(entry);
    return {
      ...{ id, name, perMinute, state: this.stateOf({ entry, silent }), silent: Math.round(silent / 1000) },
      device: of === null ? '' : of.deviceName || of.device,
      answered: this.answers.get(id) ?? 0,
      ...(detail !== undefined && { detail }),
    };
  }

  private stateOf({ entry, silent }: Seen): SeenWorker['state'] {
    if (silent >= SILENCE) return 'lost';
    if (this.refusalOf(entry) !== undefined) return 'refused';
    if (entry.run === null) return 'idle';
    if (entry.run !== this.options.key) return 'elsewhere';
    return entry.state === 'opening' ? 'opening' : 'ours';
  }
}
