import { formatPerplexity } from '../experiment/format.ts';
import type { ComparedRun } from '../search/comparison/comparedRun.ts';
import { comparable, measured } from '../search/comparison/pinned.ts';
import type { Pinned } from '../search/comparison/pinned.ts';
import { meanCurve, seedGroups } from '../search/comparison/seedGroups.ts';
import type { ComparisonChart } from './comparisonMessages.ts';

/** A line of the chart: the best so far, from each new best on. */
export interface ChartLine {
  /** Folders of the runs that it is of; none of a baseline. */
  readonly folders: readonly string[];
  readonly label: string;
  readonly points: readonly ChartPoint[];
  /** Where the line ends: its last value holds up to here. */
  readonly end: number;
  readonly kind: 'run' | 'mean' | 'baseline';
}

export interface ChartPoint {
  readonly x: number;
  readonly y: number;
  /** Standard deviation around a mean, where there is one. */
  readonly spread?: number;
}

export interface ChartLines {
  readonly lines: readonly ChartLine[];
  /** Runs that have no line here, by why. */
  readonly left: readonly { readonly why: string; readonly titles: readonly string[] }[];
}

interface NoLine {
  readonly title: string;
  readonly why: string;
}

/** @param runs those that are shown, in order */
export function chartLines(
  runs: readonly ComparedRun[],
  { along, measure, grouped }: ComparisonChart,
  pinned: Pinned | undefined,
): ChartLines {
  const reference = pinned?.kind === 'run' ? runs.find(({ folder }) => folder === pinned.folder) : undefined;
  const { together, apart } =
    measure === 'fitness' ? comparable(runs, reference ?? runs[0]) : { together: runs, apart: [] };
  const left = new Map<string, string[]>();
  const leave = ({ title, why }: NoLine): void => {
    left.set(why, [...(left.get(why) ?? []), title]);
  };
  for (const { run, why } of apart) leave({ title: run.title, why });
  const lines: ChartLine[] = [];
  for (const { runs: group } of grouped ? seedGroups(together) : together.map((run) => ({ runs: [run] }))) {
    const line =
      group.length > 1 ? meanLine(group, along, measure, pinned) : runLine(group[0]!, along, measure, pinned);
    if ('why' in line) leave(line);
    else lines.push(line);
  }
  return {
    lines: [...lines, ...baselineLines(reference ?? together[0], measure, pinned, lines)],
    left: [...left].map(([why, titles]) => ({ why, titles })),
  };
}

function runLine(
  run: ComparedRun,
  along: ComparisonChart['along'],
  measure: ComparisonChart['measure'],
  pinned: Pinned | undefined,
): ChartLine | NoLine {
  const end = run.curve.end[along];
  if (end === null) return { title: run.title, why: 'a recovery has no evaluations: choose time or steps' };
  if (run.curve.points.length === 0) return { title: run.title, why: MISSING.fitness };
  const points = run.curve.points.flatMap((point) => {
    const y = measured(run, point.fitness, measure, pinned);
    return y === undefined ? [] : [{ x: point[along] ?? 0, y }];
  });
  if (points.length === 0) return { title: run.title, why: MISSING[measure] };
  return { folders: [run.folder], label: run.title, points, end, kind: 'run' };
}

const MISSING: Readonly<Record<ComparisonChart['measure'], string>> = {
  fitness: 'nothing was found yet',
  dense: 'its fitness is a divergence from dense, or dense is not known yet',
  baseline: 'no baseline of its own',
};

function meanLine(
  group: readonly ComparedRun[],
  along: ComparisonChart['along'],
  measure: ComparisonChart['measure'],
  pinned: Pinned | undefined,
): ChartLine | NoLine {
  const points = meanCurve({ runs: group }, along, (run, fitness) => measured(run, fitness, measure, pinned));
  const label = `${group[0]!.search}, mean of ${group.length} seeds`;
  if (points.length === 0) return { title: label, why: MISSING[measure] };
  return {
    folders: group.map(({ folder }) => folder),
    label,
    points: points.map(({ at, mean, spread }) => ({ x: at, y: mean, ...(spread !== null && { spread }) })),
    end: points.at(-1)!.at,
    kind: 'mean',
  };
}

/** What the reference has measured beside: across the whole chart. */
function baselineLines(
  reference: ComparedRun | undefined,
  measure: ComparisonChart['measure'],
  pinned: Pinned | undefined,
  lines: readonly ChartLine[],
): readonly ChartLine[] {
  if (!reference || lines.length === 0) return [];
  const end = Math.max(...lines.map((line) => line.end));
  const across = (label: string, y: number): ChartLine => ({
    ...{ folders: [], label, kind: 'baseline', end },
    points: [{ x: 0, y }],
  });
  if (measure === 'dense') return [across('dense', 1)];
  if (measure === 'baseline') return [across(pinned?.kind === 'baseline' ? pinned.name : 'best baseline', 1)];
  const { dense } = reference.fitness;
  const named = reference.baselines.filter(({ name }) => pinned?.kind !== 'baseline' || name === pinned.name);
  return [
    ...named.map(({ name, fitness }) => across(`${name} ${formatPerplexity(fitness)}`, fitness)),
    ...(dense === null ? [] : [across(`dense ${formatPerplexity(dense)}`, dense)]),
  ];
}

/** The value of a line at a place; undefined left of its first point and right of its end. */
export function valueAt({ points, end }: ChartLine, x: number): ChartPoint | undefined {
  return x > end ? undefined : points.findLast((point) => point.x <= x);
}

/** How much of the heights is shown. @param whole everything; otherwise where the runs differ from the middle of their work on */
export function heights(lines: readonly ChartLine[], whole: boolean): readonly [low: number, high: number] | undefined {
  const ofRuns = lines.filter(({ kind }) => kind !== 'baseline');
  const all = (whole ? lines : ofRuns).flatMap(({ points }) => points.map(({ y }) => y)).filter(Number.isFinite);
  if (all.length === 0) return undefined;
  if (whole) return [Math.min(...all) * 0.98, Math.max(...all) * 1.02];
  const late = ofRuns.flatMap((line) => [valueAt(line, line.end * EARLY)?.y ?? [], line.points.at(-1)?.y ?? []].flat());
  const [low, high] = [Math.min(...all), Math.max(...late)];
  // Baselines that compete are in sight; the others leave at the top or the bottom.
  const reach = Math.max(high - low, low * LEAST);
  const near = lines.flatMap(({ kind, points }) => (kind === 'baseline' ? [points[0]!.y] : []));
  const seen = [low, high, ...near.filter((y) => y > low - reach && y < high + reach)];
  const pad = 0.06 * Math.max(Math.max(...seen) - Math.min(...seen), low * LEAST);
  return [Math.min(...seen) - pad, Math.max(...seen) + pad];
}

/** What a run had found after this share of its work is still in sight. */
const EARLY = 0.2;
/** An axis reaches at least this share of the lowest value. */
const LEAST = 0.005;
