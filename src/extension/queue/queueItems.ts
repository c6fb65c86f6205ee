import type * as vscode from 'vscode';
import { SILENCE } from '../../queue/beats.ts';
import type { Beats } from '../../queue/beats.ts';
import type { RunEntry, WorkerEntry } from '../../queue/wire.ts';
import { iconFree } from '../messages.ts';

/** Who is there, as it was read at one moment. */
export interface QueueView {
  readonly runs: readonly RunEntry[];
  readonly workers: readonly WorkerEntry[];
  /** Entries of other versions. */
  readonly foreign: number;
  /** Milliseconds since 1970, when it was read. */
  readonly at: number;
}

/** A row of the list that says who is there. */
export interface QueueItem extends vscode.QuickPickItem {
  /** What it is, whatever it says now. */
  readonly id: string;
}

const STATES: Readonly<Record<WorkerEntry['state'], string>> = {
  idle: 'waits for questions',
  opening: 'loads a model',
  answering: 'answers',
  leaving: 'is leaving',
};

/** Runs that have questions and workers that answer, each in the order of its name. @param beats know how long each was silent */
export function queueItems({ runs, workers, foreign, at }: QueueView, beats: Beats): QueueItem[] {
  const titles = new Map(runs.map(({ key, title }) => [key, title]));
  const runItems = sortedBy(runs, ({ title }) => title).map((run) => runItem(run, workers, beats));
  const workerItems = sortedBy(workers, ({ name }) => name).map((worker) =>
    workerItem(worker, titles, beats.look(`worker ${worker.id}`, String(worker.beat)), at),
  );
  return [
    ...(foreign === 0 ? [] : [{ id: 'foreign', label: `$(info) ${foreign} of another version of Espalier` }]),
    ...runItems,
    ...workerItems,
  ];
}

function runItem(
  { key, title, owner, class: found, beat, version }: RunEntry,
  workers: QueueView['workers'],
  beats: Beats,
): QueueItem {
  const lost = beats.look(`run ${key}`, String(beat)) >= SILENCE;
  const count = workers.filter(({ run }) => run === key).length;
  const refusing = workers.filter(({ refused }) => refused.some(({ run }) => run === key)).length;
  const facts = [
    lost ? 'its coordinator has not been seen for a while' : `${count} ${count === 1 ? 'worker' : 'workers'}`,
    ...(refusing === 0 ? [] : [`${refusing} refuse it`]),
    found ? `${found.of.device} (${found.of.deviceName}), ${found.of.precision}` : 'not opened yet',
  ];
  return {
    id: `run ${key}`,
    label: `$(${lost ? 'warning' : 'search'}) ${iconFree(title)}`,
    description: iconFree(`asked by ${owner.host}, process ${owner.pid}, Espalier ${version}`),
    detail: iconFree(facts.join(' · ')),
  };
}

function workerItem(
  { id, name, of, state, run, answered, perMinute, refused, seenAt, threads, version }: WorkerEntry,
  titles: ReadonlyMap<string, string>,
  still: number,
  at: number,
): QueueItem {
  const lost = still >= SILENCE;
  const works = run === null ? STATES[state] : `${STATES[state]} for ${titles.get(run) ?? 'a run that has gone'}`;
  const device = of ? `${of.device} (${of.deviceName})` : `${threads} threads`;
  const facts = [
    lost ? `not seen for ${Math.round(still / 1000)} s` : works,
    `${answered} answered`,
    `${perMinute.toFixed(1)} a minute`,
    // Until its silence was long enough to be judged from here, what it says itself is all there is.
    ...(!lost && at - seenAt >= SILENCE ? [`seen ${Math.round((at - seenAt) / 1000)} s ago by its own clock`] : []),
    ...refused.map(
      ({ run: of, error }) => `refuses ${titles.get(of) ?? of}: expected ${error.expected}, has ${error.actual}`,
    ),
  ];
  return {
    id: `worker ${id}`,
    label: `$(${lost ? 'warning' : refused.length > 0 ? 'circle-slash' : 'vm'}) ${iconFree(name)}`,
    description: iconFree(`${device}, Espalier ${version}`),
    detail: iconFree(facts.join(' · ')),
  };
}

function sortedBy<Entry>(entries: readonly Entry[], nameOf: (entry: Entry) => string): Entry[] {
  return [...entries].sort((a, b) => nameOf(a).localeCompare(nameOf(b), 'en', { numeric: true }));
}
