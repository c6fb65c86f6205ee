import type { PanelData } from './panelData.ts';

/** The last stretch of work that the rate is taken from, milliseconds. */
const WINDOW = 3 * 60_000;

type Timed = Pick<PanelData, 'candidates' | 'generations' | 'pauses' | 'run' | 'openedAt' | 'lastAt'>;

/** Candidates a minute over the last minutes of work; undefined before there is anything to tell from. */
export function candidatesPerMinute(data: Timed): number | undefined {
  const { candidates, openedAt } = data;
  const last = candidates.at(-1);
  if (!last || candidates.length < 2) return undefined;
  let first = candidates.length - 1;
  while (first > 0 && worked(data, candidates[first - 1]!.at, last.at) <= WINDOW) first--;
  const from = first === 0 ? Math.min(openedAt || candidates[0]!.at, candidates[0]!.at) : candidates[first]!.at;
  const minutes = worked(data, from, last.at) / 60_000;
  const count = first === 0 ? candidates.length : candidates.length - 1 - first;
  return minutes > 0 ? count / minutes : undefined;
}

/**
 * Seconds until the last generation is through, at the pace of the last ones: later generations hold more that was seen before, so
 * the first ones say little. Undefined before the first generation has ended.
 */
export function secondsLeft(data: Timed): number | undefined {
  const { generations, candidates, run } = data;
  const done = generations.length;
  if (!run || done === 0) return undefined;
  const rate = candidatesPerMinute(data);
  if (rate === undefined || rate === 0) return undefined;
  const { population, elites, generations: planned, budget } = run.plan.search;
  const each =
    done > 1
      ? (generations.at(-1)!.counts.candidates - generations[0]!.counts.candidates) / (done - 1)
      : population - elites;
  const total = generations[0]!.counts.candidates + each * (planned - 1);
  const left = Math.max(0, total - candidates.length) / rate;
  const { evaluations } = generations.at(-1)!.counts;
  const perCandidate = evaluations / generations.at(-1)!.counts.candidates;
  const untilBudget =
    budget > 0 && perCandidate > 0 ? Math.max(0, budget - evaluations) / perCandidate / rate : Infinity;
  return 60 * Math.min(left, untilBudget);
}

/** Milliseconds of work between two times, pauses left out. */
function worked({ pauses }: Timed, from: number, to: number): number {
  const idle = pauses.reduce((sum, pause) => sum + Math.max(0, Math.min(pause.to, to) - Math.max(pause.from, from)), 0);
  return to - from - idle;
}
