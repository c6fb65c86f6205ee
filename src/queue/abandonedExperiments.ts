import { BEAT, Beats } from './beats.ts';
import type { Directory } from './directory.ts';
import { queueOfRun } from './questionQueue.ts';
import type { QueueServer } from './queueServer.ts';
import type { RunEntry } from './wire.ts';

/** Milliseconds of silence after which an experiment is removed: four times as long as its workers wait for it. */
const ABANDONED = 120_000;

/**
 * Removes what experiments leave at a server whose command was killed. Nobody goes on with one, as with a run; one that only slept puts its entry and
 * its questions back.
 */
export class AbandonedExperiments {
  private readonly server: QueueServer;
  private readonly runs: Directory['runs'];
  private readonly beats = new Beats(2 * BEAT);
  private readonly after: number;

  /** @param after milliseconds of silence */
  constructor(server: QueueServer, { runs }: Directory, after = ABANDONED) {
    this.server = server;
    this.runs = runs;
    this.after = after;
  }

  /** To be called from time to time. @param entries of the directory, as they are now */
  async look(entries: readonly RunEntry[]): Promise<void> {
    const experiments = entries.filter(({ work }) => work.kind === 'experiment');
    this.beats.keep(new Set(experiments.map(({ key }) => key)));
    for (const { key, owner, beat } of experiments) {
      if (this.beats.look(key, `${owner.id} ${beat}`) < this.after) continue;
      const queue = this.server.queue(queueOfRun(key));
      await queue.clear();
      await queue.close();
      await this.runs.remove(key);
    }
  }
}
