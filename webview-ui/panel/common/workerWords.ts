import type { SeenWorker } from '../../../src/experiment/seenWorker.ts';
import type { PanelQueue } from '../../../src/view/panelMessages.ts';
import { plural } from './words.ts';

type WorkerState = SeenWorker['state'];

/** What a worker does, for a person. `mark` tells states apart without colour. */
interface StateWords {
  readonly mark: string;
  readonly text: string;
  /** Behind a number. */
  readonly counted: string;
}

const STATES: Readonly<Record<WorkerState, StateWords>> = {
  ours: { mark: '●', text: 'works for this run', counted: 'at work' },
  opening: { mark: '◐', text: 'loads the model', counted: 'loading the model' },
  idle: { mark: '○', text: 'waits for questions', counted: 'waiting' },
  elsewhere: { mark: '◇', text: 'works for another run', counted: 'at work for other runs' },
  lost: { mark: '△', text: 'not seen', counted: 'lost' },
  refused: { mark: '✗', text: 'refuses this run', counted: 'refusing this run' },
};

/** What is in order stands behind what may need a hand. */
const TROUBLE: Readonly<Record<WorkerState, number>> = {
  refused: 0,
  lost: 1,
  ours: 2,
  opening: 2,
  idle: 2,
  elsewhere: 2,
};

/** Seconds of silence that are none: signs of life come every few. */
const NOW = 15;

/** A row of the list, as texts. */
export interface WorkerRow {
  readonly id: string;
  readonly state: WorkerState;
  readonly mark: string;
  readonly name: string;
  readonly device: string;
  readonly words: string;
  /** Why it does not answer; empty for the others. */
  readonly reason: string;
  readonly answered: string;
  readonly perMinute: string;
  readonly seen: string;
}

/** Those with trouble first, then all by their names. */
export function workerRows(workers: readonly SeenWorker[]): WorkerRow[] {
  return [...workers]
    .sort(
      (a, b) =>
        TROUBLE[a.state] - TROUBLE[b.state] ||
        a.name.localeCompare(b.name, 'en', { numeric: true }) ||
        (a.id < b.id ? -1 : 1),
    )
    .map(({ id, name, device, state, detail = '', answered, perMinute, silent }) => ({
      id,
      state,
      mark: STATES[state].mark,
      name,
      device: device === '' ? '–' : device,
      words: STATES[state].text,
      reason: detail,
      answered: String(answered),
      perMinute: rateWords(perMinute),
      seen: silent < NOW ? 'now' : `${durationWords(silent)} ago`,
    }));
}

/** `3 workers: 2 at work, 1 lost`. */
export function countWords(workers: readonly SeenWorker[]): string {
  const states = Object.keys(STATES) as WorkerState[];
  const counts = states
    .map((state) => [workers.filter((worker) => worker.state === state).length, STATES[state].counted] as const)
    .filter(([count]) => count > 0);
  const all = plural(workers.length, 'worker');
  return counts.length === 1 ? `${all} ${counts[0]![1]}` : `${all}: ${counts.map((part) => part.join(' ')).join(', ')}`;
}

/** What those that work for this run do in a minute together; empty where nobody does, or has done anything yet. */
export function paceWords(workers: readonly SeenWorker[]): string {
  const pace = workers.filter(({ state }) => state === 'ours').reduce((sum, { perMinute }) => sum + perMinute, 0);
  return pace === 0 ? '' : `${rateWords(pace)} questions a minute`;
}

/** Why nothing is answered, and what to do; undefined where somebody answers. */
export function nobodyWords(workers: NonNullable<PanelQueue['workers']>): string | undefined {
  if (workers.some(({ state }) => state !== 'lost' && state !== 'refused')) return undefined;
  if (workers.length === 0) return 'Nobody is there yet: start workers with';
  return 'Nobody who is there answers this run: start workers that can with';
}

function rateWords(perMinute: number): string {
  return perMinute === 0 || perMinute >= 100 ? String(Math.round(perMinute)) : perMinute.toFixed(1);
}

function durationWords(seconds: number): string {
  if (seconds < 120) return `${Math.round(seconds)} s`;
  if (seconds < 120 * 60) return `${Math.round(seconds / 60)} min`;
  return `${Math.round(seconds / 3600)} h`;
}
