import { createHash } from 'node:crypto';

/** A run that could be worked for. */
export interface RunChoice {
  readonly key: string;
  /** Questions that nobody works on. */
  readonly waiting: number;
  /** Ids of the workers that are at it. */
  readonly workers: readonly string[];
  /** When this worker was at it last, on any scale; undefined for never. */
  readonly servedAt: number | undefined;
}

/** The run that a worker is at. */
export interface Turn {
  readonly key: string;
  /** Milliseconds since it was opened, and that this took. */
  readonly lasted: number;
  readonly opening: number;
  /** Milliseconds for which it has had no question. */
  readonly dry: number;
}

/** Milliseconds of a turn while other runs wait; what opening took, so many times, where that is more. */
const TURN = 30_000;
const TURN_OF_OPENING = 3;
/** Least milliseconds without a question after which a worker goes where there are some. */
const LEAST_DRY = 2000;

/**
 * The run that a worker should be at: the one with the fewest workers of those that have questions. It stays where it is while that has some and its
 * turn lasts; once it is over, as many workers leave a run as make it even with the others, and one at least where another run has nobody. Without
 * questions it stays for as long as opening took: to come back costs as much again.
 *
 * @param me id of the worker. @param runs that it does not refuse, its own among them
 * @returns undefined where there is none
 */
export function chooseRun(me: string, runs: readonly RunChoice[], turn: Turn | undefined): string | undefined {
  const own = runs.find(({ key }) => key === turn?.key);
  const best = bestOf(
    me,
    runs.filter((run) => run !== own && (own === undefined || run.waiting > 0)),
  );
  if (!turn || !own || !best) return own?.key ?? best?.key;
  if (own.waiting === 0 && isDry(turn)) return best.key;
  if (!isThrough(turn)) return own.key;
  const leaving = Math.max(
    Math.floor((own.workers.length - best.workers.length) / 2),
    best.workers.length === 0 ? 1 : 0,
  );
  // All see the same list: so each knows whether it is one of those that go.
  const place = [...new Set([...own.workers, me])].sort().indexOf(me);
  return place < leaving ? best.key : own.key;
}

/** Whether it can come to another run at all: who cannot need not look at them. */
export function mayLeave(turn: Turn): boolean {
  return isDry(turn) || isThrough(turn);
}

function isDry({ dry, opening }: Turn): boolean {
  return dry >= Math.max(LEAST_DRY, opening);
}

function isThrough({ lasted, opening }: Turn): boolean {
  return lasted >= Math.max(TURN, TURN_OF_OPENING * opening);
}

/** Of equals the one that this worker was at longest ago; of these a different one for each worker. */
function bestOf(me: string, runs: readonly RunChoice[]): RunChoice | undefined {
  const rank = ({ key, waiting, workers, servedAt }: RunChoice): readonly (number | string)[] => [
    waiting > 0 ? 0 : 1,
    workers.filter((id) => id !== me).length,
    servedAt ?? -Infinity,
    createHash('sha256').update(`${me} ${key}`).digest('hex'),
  ];
  const ranked = runs.map((run) => ({ run, rank: rank(run) }));
  return ranked.sort((a, b) => compare(a.rank, b.rank))[0]?.run;
}

function compare(a: readonly (number | string)[], b: readonly (number | string)[]): number {
  const at = a.findIndex((value, i) => value !== b[i]);
  return at < 0 ? 0 : a[at]! < b[at]! ? -1 : 1;
}
