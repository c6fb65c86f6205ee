import type * as z from 'zod';
import type { JobQueue, StoredJob } from './jobs.ts';
import type { QueueServer } from './queueServer.ts';
import { runEntrySchema, workerEntrySchema } from './wire.ts';
import type { RunEntry, WorkerEntry } from './wire.ts';

/**
 * Who is there: runs that have questions, and workers. Each is one job of a queue that nobody works on, changed by whoever it tells of, and removed when
 * that goes; of one that was killed it stays until somebody sees that its beat stands still.
 */
export class Directory {
  /** By their keys. */
  readonly runs: Entries<RunEntry>;
  /** By their ids. */
  readonly workers: Entries<WorkerEntry>;

  constructor(server: QueueServer) {
    this.runs = new Entries(server.queue('runs'), runEntrySchema, ({ key }) => key);
    this.workers = new Entries(server.queue('workers'), workerEntrySchema, ({ id }) => id);
  }

  async close(): Promise<void> {
    await Promise.all([this.runs.close(), this.workers.close()]);
  }
}

/** An entry of another version, or whatever else was put where entries are. Texts are anybody's. */
export interface ForeignEntry {
  /** As it can be removed by. */
  readonly name: string;
  readonly format: string;
  readonly version: string;
}

/** Entries of one kind. */
class Entries<Entry> {
  private readonly queue: JobQueue;
  private readonly schema: z.ZodType;
  private readonly nameOf: (entry: Entry) => string;

  constructor(queue: JobQueue, schema: z.ZodType, nameOf: (entry: Entry) => string) {
    this.queue = queue;
    this.schema = schema;
    this.nameOf = nameOf;
  }

  /** Writes an entry in the place of what it was before, also where the server has forgotten that. */
  async put(entry: Entry): Promise<void> {
    const id = idOf(this.nameOf(entry));
    if (!(await this.queue.update(id, entry))) await this.queue.add('entry', id, entry);
  }

  /** Writes an entry where there is none. @returns what is there then, which may be another's */
  async claim(entry: Entry): Promise<Entry | undefined> {
    const name = this.nameOf(entry);
    await this.queue.add('entry', idOf(name), entry);
    return this.get(name);
  }

  async get(name: string): Promise<Entry | undefined> {
    const job = await this.queue.get(idOf(name));
    return job && this.read(job.data);
  }

  /** Those that this version can read, and how many it cannot. */
  async list(): Promise<{ readonly entries: readonly Entry[]; readonly foreign: number }> {
    const jobs = await this.queue.waiting();
    const entries = jobs.flatMap(({ data }) => this.read(data) ?? []);
    return { entries, foreign: jobs.length - entries.length };
  }

  /** What stands here and cannot be read: of another version, or nobody's. */
  async listForeign(): Promise<readonly ForeignEntry[]> {
    const jobs = await this.queue.waiting();
    return jobs.filter(({ data }) => this.read(data) === undefined).map(foreignEntry);
  }

  remove(name: string): Promise<void> {
    return this.queue.remove(idOf(name));
  }

  close(): Promise<void> {
    return this.queue.close();
  }

  private read(data: unknown): Entry | undefined {
    const parsed = this.schema.safeParse(data);
    return parsed.success ? (parsed.data as Entry) : undefined;
  }
}

function foreignEntry({ id, data }: StoredJob): ForeignEntry {
  const said = (name: string): string => {
    const value: unknown = typeof data === 'object' && data !== null ? Reflect.get(data, name) : undefined;
    return typeof value === 'string' || typeof value === 'number' ? String(value).slice(0, 100) : 'unknown';
  };
  return { name: id.replace(/^entry-/, ''), format: said('format'), version: said('version') };
}

/** The library takes an id that is a number for one of its own. */
function idOf(name: string): string {
  return `entry-${name}`;
}
