import { VERSION } from '../../base/version.ts';
import { AbandonedExperiments } from '../abandonedExperiments.ts';
import { BEAT, Beats, SILENCE } from '../beats.ts';
import type { Directory } from '../directory.ts';
import { queueOfRun } from '../questionQueue.ts';
import type { JobQueue } from '../jobs.ts';
import type { QueueServer } from '../queueServer.ts';
import type { RunEntry, WorkerEntry } from '../wire.ts';

/** Milliseconds of silence after which the entry of a worker is taken out: one that comes back writes it anew. */
const FORGOTTEN = 10 * 60_000;

/** Who lives, as one worker sees it from look to look. */
export class DirectoryView {
  private readonly server: QueueServer;
  private readonly directory: Directory;
  private readonly runBeats: Beats;
  private readonly workerBeats: Beats;
  private readonly abandoned: AbandonedExperiments;
  private readonly silence: number;
  private readonly queues = new Map<string, JobQueue>();

  /** @param silence milliseconds without a beat after which an owner counts as gone */
  constructor(server: QueueServer, directory: Directory, silence = SILENCE) {
    this.server = server;
    this.directory = directory;
    this.abandoned = new AbandonedExperiments(server, directory);
    this.silence = silence;
    this.runBeats = new Beats(2 * BEAT);
    this.workerBeats = new Beats(2 * BEAT);
  }

  /** Runs whose owner lives, and those whose owner does not: the others are over. */
  async runs(): Promise<{ readonly living: readonly RunEntry[]; readonly silent: readonly RunEntry[] }> {
    const { entries } = await this.directory.runs.list();
    await this.abandoned.look(entries);
    const living: RunEntry[] = [];
    const silent: RunEntry[] = [];
    for (const entry of entries) {
      const { key, owner, beat } = entry;
      const isSilent = this.runBeats.look(key, `${owner.id} ${beat}`) >= this.silence;
      (isSilent ? silent : living).push(entry);
    }
    const keys = new Set(entries.map(({ key }) => key));
    this.runBeats.keep(keys);
    for (const [key, queue] of this.queues) {
      if (keys.has(key)) continue;
      this.queues.delete(key);
      void queue.close();
    }
    return { living, silent };
  }

  /** Workers that live; the entries of those that have not for long are taken out. */
  async workers(): Promise<readonly WorkerEntry[]> {
    const { entries } = await this.directory.workers.list();
    const living: WorkerEntry[] = [];
    for (const entry of entries) {
      const silent = this.workerBeats.look(entry.id, `${entry.startedAt} ${entry.beat}`);
      if (silent < this.silence) living.push(entry);
      else if (silent >= FORGOTTEN) await this.directory.workers.remove(entry.id);
    }
    this.workerBeats.keep(new Set(entries.map(({ id }) => id)));
    return living;
  }

  /** Questions of a run that nobody works on. */
  async waiting(key: string): Promise<number> {
    const counts = await this.queueOf(key).counts();
    return (counts['waiting'] ?? 0) + (counts['prioritized'] ?? 0);
  }

  /** Removes what came into the queue of a run since that was over. */
  async clear(key: string): Promise<void> {
    await this.queueOf(key).clear();
  }

  async close(): Promise<void> {
    await Promise.all([...this.queues.values()].map((queue) => queue.close()));
    this.queues.clear();
  }

  private queueOf(key: string): JobQueue {
    const known = this.queues.get(key);
    if (known) return known;
    const queue = this.server.queue(queueOfRun(key));
    this.queues.set(key, queue);
    return queue;
  }
}

/** Whether this version can answer a run. */
export function isOurVersion({ version }: RunEntry): boolean {
  return version === VERSION;
}
