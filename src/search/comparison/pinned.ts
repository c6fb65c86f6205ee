import { bestOf } from './comparedRun.ts';
import type { ComparedRun } from './comparedRun.ts';
import { whyNotComparable } from './fitnessKind.ts';

/** What the others are compared with: a run, or a baseline that runs have measured themselves. */
export type Pinned =
  { readonly kind: 'run'; readonly folder: string } | { readonly kind: 'baseline'; readonly name: string };

/** A run's best against what is pinned, as a ratio: 0.98 is 2 % less; or why there is none. */
export type AgainstPinned = { readonly ratio: number } | { readonly why: string };

export function againstPinned(
  run: ComparedRun,
  pinned: Pinned | undefined,
  runs: readonly ComparedRun[],
): AgainstPinned | undefined {
  if (!pinned) return undefined;
  const best = bestOf(run);
  if (best === undefined) return { why: 'nothing was found yet' };
  const reference = referenceOf(run, pinned, runs);
  return typeof reference === 'string' ? { why: reference } : ratioOf(best, reference);
}

function referenceOf(run: ComparedRun, pinned: Pinned, runs: readonly ComparedRun[]): number | string {
  if (pinned.kind === 'baseline') {
    return run.baselines.find(({ name }) => name === pinned.name)?.fitness ?? `it has not measured ${pinned.name}`;
  }
  const other = runs.find(({ folder }) => folder === pinned.folder);
  if (!other) return 'the pinned run is not among these';
  return whyNotComparable(other.fitness, run.fitness) ?? bestOf(other) ?? 'the pinned run has found nothing yet';
}

function ratioOf(best: number, reference: number): AgainstPinned {
  return reference > 0 ? { ratio: best / reference } : { why: 'a ratio to 0 says nothing' };
}

/** What a line's height is: the fitness, or its ratio to the run's own dense model or best baseline, which runs of any model have. */
export const MEASURES = ['fitness', 'dense', 'baseline'] as const;
export type Measure = (typeof MEASURES)[number];

/** A fitness as it is drawn; undefined where a run has not what it would be related to. */
export function measured(
  run: ComparedRun,
  fitness: number,
  measure: Measure,
  pinned: Pinned | undefined,
): number | undefined {
  if (measure === 'fitness') return fitness;
  const reference = measure === 'dense' ? run.fitness.dense : ownBaseline(run, pinned);
  return reference == null || reference <= 0 ? undefined : fitness / reference;
}

/** The pinned baseline, as far as the run has measured it; else the best that it has. */
function ownBaseline({ baselines }: ComparedRun, pinned: Pinned | undefined): number | undefined {
  const named = pinned?.kind === 'baseline' ? baselines.find(({ name }) => name === pinned.name)?.fitness : undefined;
  return named ?? (baselines.length === 0 ? undefined : Math.min(...baselines.map(({ fitness }) => fitness)));
}

/** Runs whose numbers can be compared with those of the first of them, and the others with why not. */
export function comparable(
  runs: readonly ComparedRun[],
  with_: ComparedRun | undefined = runs[0],
): {
  readonly together: readonly ComparedRun[];
  readonly apart: readonly { readonly run: ComparedRun; readonly why: string }[];
} {
  const together: ComparedRun[] = [];
  const apart: { readonly run: ComparedRun; readonly why: string }[] = [];
  for (const run of runs) {
    const why = with_ && whyNotComparable(with_.fitness, run.fitness);
    if (why === undefined) together.push(run);
    else apart.push({ run, why });
  }
  return { together, apart };
}
