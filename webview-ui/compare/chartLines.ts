import { formatPerplexity } from '../../src/experiment/format.ts';
import type { ComparedRun } from '../../src/search/comparison/comparedRun.ts';
import { comparable, measured } from '../../src/search/comparison/pinned.ts';
import type { Pinned } from '../../src/search/comparison/pinned.ts';
import { meanCurve, seedGroups } from '../../src/search/comparison/seedGroups.ts';
import type { ComparisonChart } from '../../src/view/comparisonMessages.ts';

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
  /** Runs that have no line here, with why. */
  readonly left: readonly string[];
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
  const left = apart.map(({ run, why }) => `${run.title} (${why})`);
  const lines: ChartLine[] = [];
  for (const { runs: group } of grouped ? seedGroups(together) : together.map((run) => ({ runs: [run] }))) {
    const line =
      group.length > 1 ? meanLine(group, along, measure, pinned) : runLine(group[0]!, along, measure, pinned);
    if (typeof line === 'string') left.push(line);
    else lines.push(line);
  }
  return { lines: [...lines, ...baselineLines(reference ?? together[0], measure, pinned, lines)], left };
}

function runLine(
  run: ComparedRun,
  along: ComparisonChart['along'],
  measure: ComparisonChart['measure'],
  pinned: Pinned | undefined,
): ChartLine | string {
  const end = run.curve.end[along];
  if (end === null) return `${run.title} (a recovery has no evaluations: choose time or steps)`;
  if (run.curve.points.length === 0) return `${run.title} (it has found nothing yet)`;
  const points = run.curve.points.flatMap((point) => {
    const y = measured(run, point.fitness, measure, pinned);
    return y === undefined ? [] : [{ x: point[along] ?? 0, y }];
  });
  if (points.length === 0) return `${run.title} (${MISSING[measure]})`;
  return { folders: [run.folder], label: run.title, points, end, kind: 'run' };
}

const MISSING: Readonly<Record<ComparisonChart['measure'], string>> = {
  fitness: 'it has found nothing yet',
  dense: 'its fitness is a divergence from dense',
  baseline: 'it has no baseline',
};

function meanLine(
  group: readonly ComparedRun[],
  along: ComparisonChart['along'],
  measure: ComparisonChart['measure'],
  pinned: Pinned | undefined,
): ChartLine | string {
  const points = meanCurve({ runs: group }, along, (run, fitness) => measured(run, fitness, measure, pinned));
  const label = `${group[0]!.search}, mean of ${group.length} seeds`;
  if (points.length === 0) return `${label} (${MISSING[measure]})`;
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
