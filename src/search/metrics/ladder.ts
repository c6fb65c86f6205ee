import { sum } from '../../base/sum.ts';
import { rungEnds } from './plan.ts';
import { estimatedLoss } from '../lifecycle/estimatedLoss.ts';
import type { Rung } from '../lifecycle/rung.ts';
import type { MeasuredLoss, SearchOpening } from '../lifecycle/events.ts';
import type { MetricSearchSettings } from './settings.ts';

/** The stages of an evaluation, each with more blocks of the fitness text, or documents. @param length tokens of a block */
export function rungsOf(
  { blocks, objective }: Pick<SearchOpening, 'blocks' | 'objective'>,
  length: number,
  settings: Pick<MetricSearchSettings, 'rungs' | 'keep'>,
): readonly Rung[] {
  const ends =
    objective === 'tasks'
      ? rungEnds(blocks, DOCUMENT_WORTH, settings).filter((end) => end >= FEWEST_DOCUMENTS || end === blocks)
      : rungEnds(blocks, length, settings);
  return ends.map((end, index) => ({ index, begin: ends[index - 1] ?? 0, end }));
}

/** Tokens of a text that tell two metrics apart as well as a document of a task does: its loss is of few tokens, and differs much. */
const DOCUMENT_WORTH = 64;
/** Fewer tell nothing: whoever asks less than twice as many asks all at once. */
const FEWEST_DOCUMENTS = 32;

/** What a candidate lost on the blocks that it has seen. */
export interface Climb {
  /** Blocks seen. */
  readonly blocks: number;
  /** Sum over these blocks of the mean loss of each. */
  readonly total: number;
  /** Of documents: the weight of those with a right answer. */
  readonly right?: number;
  /** After each rung: the estimate that {@link estimatedLoss} gives. */
  readonly estimates: readonly number[];
}

export const AT_THE_FOOT: Climb = { blocks: 0, total: 0, estimates: [] };

/** @param measured mean over `blocks` more blocks */
export function climb(before: Climb, { blocks, loss, right }: MeasuredLoss, opening: SearchOpening): Climb {
  const after = { blocks: before.blocks + blocks, total: before.total + blocks * loss };
  const estimate = estimatedLoss(after.total, { begin: 0, end: after.blocks }, opening);
  const rightSoFar = right === undefined ? {} : { right: (before.right ?? 0) + right };
  return { ...after, ...rightSoFar, estimates: [...before.estimates, estimate] };
}

/** How the estimates after a rung stand to the losses on the whole text, for the metrics that have both. */
export interface Calibration {
  /** Mean of estimate − loss: the first blocks may be kinder to pruned models than the others, or less kind. */
  readonly offset: number;
  /** Standard deviation of estimate − loss: what a prediction is wrong by. Infinity while there are too few to tell. */
  readonly deviation: number;
}

/** Fewer differences have no deviation to rely on. */
const ENOUGH = 4;

/** @param complete climbs to the top */
export function calibration(complete: readonly Climb[], rung: number): Calibration {
  const differences = complete.map(({ estimates }) => estimates[rung]! - estimates.at(-1)!);
  const offset = differences.length === 0 ? 0 : sum(differences) / differences.length;
  if (differences.length < ENOUGH) return { offset, deviation: Infinity };
  const squares = sum(differences.map((difference) => (difference - offset) ** 2));
  return { offset, deviation: Math.sqrt(squares / (differences.length - 1)) };
}

/** Predictions that are off by more than this many deviations are left out of account. */
const DEVIATIONS = 2;

/**
 * Who goes on to the next rung: the best one in `keep` of this generation, but for those that would have to be luckier than
 * predictions were so far to get among the leaders; and whoever is predicted to become the best of all, however many these are.
 *
 * @param climbs of those that are still in
 * @param complete climbs to the top so far, the best first
 * @param leaders how many of them count
 */
export function promoted<Key>(
  climbs: ReadonlyMap<Key, Climb>,
  rung: number,
  keep: number,
  complete: readonly Climb[],
  leaders: number,
): readonly Key[] {
  const { offset, deviation } = calibration(complete, rung);
  const predicted = (one: Climb): number => one.estimates[rung]! - offset;
  const best = complete[0]?.estimates.at(-1) ?? -Infinity;
  const last = complete[leaders - 1]?.estimates.at(-1) ?? Infinity;
  const ranked = [...climbs].sort(([, a], [, b]) => a.estimates[rung]! - b.estimates[rung]!);
  const quota = Math.ceil(ranked.length / keep);
  return ranked
    .filter(([, one], place) => predicted(one) < (place < quota ? last + DEVIATIONS * deviation : best))
    .map(([key]) => key);
}
