import { BEAT, Beats } from './beats.ts';
import type { Directory, ForeignEntry } from './directory.ts';
import { queueOfRun } from './questionQueue.ts';
import type { QueueServer } from './queueServer.ts';
import type { RunEntry, WorkerEntry } from './wire.ts';

/** A run as it is looked at from outside. */
export interface SeenRun {
  readonly entry: RunEntry;
  /** Questions that nobody works on, and that somebody does. */
  readonly waiting: number;
  readonly active: number;
  /** Workers that say they are at it. */
  readonly workers: number;
  readonly isSilent: boolean;
}

/** All that stands in the directory of a queue. */
export interface QueueOverview {
  readonly runs: readonly SeenRun[];
  readonly workers: readonly { readonly entry: WorkerEntry; readonly isSilent: boolean }[];
  readonly foreign: readonly ForeignEntry[];
}

/** Milliseconds by which a time that another machine wrote may differ from ours before it is looked at whether its beat still goes. */
const SUSPICIOUS = 3 * BEAT;
/** Milliseconds that a beat is watched for then. */
const WATCHED = 3 * BEAT;
const GLANCE = 1000;

/**
 * Looks at who is there. Whether somebody still is tells their beat, which stands still or not: it is watched only where the time that they wrote is not
 * about now, as clocks may differ.
 *
 * @param onWait told where it takes a while
 */
export async function lookAtQueue(
  server: QueueServer,
  directory: Directory,
  { signal, onWait, watched = WATCHED }: { signal: AbortSignal; onWait: () => void; watched?: number },
): Promise<QueueOverview> {
  const first = await entriesOf(directory);
  const suspects = new Map(
    [...first.runs, ...first.workers]
      .filter(({ seenAt }) => Math.abs(Date.now() - seenAt) > SUSPICIOUS)
      .map((entry) => [nameOf(entry), beatOf(entry)]),
  );
  if (suspects.size > 0) onWait();
  const silent = await stillSilent(directory, suspects, watched, signal);
  const { runs, workers, foreign } = suspects.size > 0 ? await entriesOf(directory) : first;
  const isSilent = (entry: RunEntry | WorkerEntry): boolean => silent.has(nameOf(entry));
  const seen: SeenRun[] = [];
  for (const entry of runs) {
    const counts = await countsOf(server, entry.key);
    const at = workers.filter((worker) => worker.run === entry.key && !isSilent(worker)).length;
    seen.push({ entry, ...counts, workers: at, isSilent: isSilent(entry) });
  }
  return { runs: seen, workers: workers.map((entry) => ({ entry, isSilent: isSilent(entry) })), foreign };
}

/**
 * Whether a run's beat, or a worker's, has stood still for so long as it was watched.
 *
 * @param milliseconds of silence that count as the end
 */
export async function isLeftBehind(
  look: () => Promise<RunEntry | WorkerEntry | undefined>,
  milliseconds: number,
  signal: AbortSignal,
): Promise<boolean> {
  const beats = new Beats(2 * GLANCE);
  let first: string | undefined;
  while (!signal.aborted) {
    const entry = await look();
    if (!entry) return true;
    const beat = beatOf(entry);
    first ??= beat;
    if (beat !== first) return false;
    if (beats.look('it', beat) >= milliseconds) return true;
    await delay(Math.min(GLANCE, milliseconds / 4));
  }
  return false;
}

async function stillSilent(
  directory: Directory,
  suspects: ReadonlyMap<string, string>,
  watched: number,
  signal: AbortSignal,
): Promise<ReadonlySet<string>> {
  const silent = new Map(suspects);
  for (const until = performance.now() + watched; silent.size > 0 && performance.now() < until && !signal.aborted;) {
    await delay(Math.min(GLANCE, watched / 4));
    const { runs, workers } = await entriesOf(directory);
    for (const entry of [...runs, ...workers])
      if (silent.get(nameOf(entry)) !== beatOf(entry)) silent.delete(nameOf(entry));
  }
  return new Set(silent.keys());
}

interface Entries {
  readonly runs: readonly RunEntry[];
  readonly workers: readonly WorkerEntry[];
  readonly foreign: readonly ForeignEntry[];
}

async function entriesOf({ runs, workers }: Directory): Promise<Entries> {
  const [ofRuns, ofWorkers, foreignRuns, foreignWorkers] = await Promise.all([
    runs.list(),
    workers.list(),
    runs.listForeign(),
    workers.listForeign(),
  ]);
  return {
    runs: [...ofRuns.entries].sort((a, b) => (a.key < b.key ? -1 : 1)),
    workers: [...ofWorkers.entries].sort((a, b) => (`${a.name} ${a.id}` < `${b.name} ${b.id}` ? -1 : 1)),
    foreign: [...foreignRuns, ...foreignWorkers],
  };
}

async function countsOf(server: QueueServer, key: string): Promise<Pick<SeenRun, 'waiting' | 'active'>> {
  const queue = server.queue(queueOfRun(key));
  try {
    const counts = await queue.counts();
    return { waiting: counts['waiting'] ?? 0, active: counts['active'] ?? 0 };
  } finally {
    await queue.close();
  }
}

function nameOf(entry: RunEntry | WorkerEntry): string {
  return 'key' in entry ? entry.key : entry.id;
}

function beatOf(entry: RunEntry | WorkerEntry): string {
  return 'key' in entry ? `${entry.owner.id} ${entry.beat}` : `${entry.startedAt} ${entry.beat}`;
}

function delay(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
