import type { ChartFigure, Series } from '../figures/figureSchema.ts';
import type { ComparedRun } from '../search/comparison/comparedRun.ts';
import type { Pinned } from '../search/comparison/pinned.ts';
import { FITNESS_WORDS } from '../search/lifecycle/fitnessText.ts';
import { chartLines, heights } from './comparisonLines.ts';
import type { ChartLine } from './comparisonLines.ts';
import type { ComparisonChart } from './comparisonMessages.ts';

/** The chart of a comparison for print; undefined where no run has a line. @param runs those that are drawn */
export function comparisonFigure(
  runs: readonly ComparedRun[],
  chart: ComparisonChart,
  pinned: Pinned | undefined,
): ChartFigure | undefined {
  const { lines } = chartLines(runs, chart, pinned);
  const range = heights(lines, chart.whole);
  if (!range) return undefined;
  const last = Math.max(...lines.map(({ end }) => end));
  const [unit, size] = chart.along === 'seconds' ? timeUnit(last) : ['', 1];
  return {
    kind: 'chart',
    title: `Best so far of ${runs.map(({ title }) => title).join(', ')}`,
    x: { label: `${ALONG[chart.along]}${unit}`, scale: 'linear', min: 0, max: last / size },
    y: {
      label: chart.measure === 'fitness' ? FITNESS_WORDS[runs[0]!.fitness.objective].name : MEASURE[chart.measure],
      scale: chart.whole && range[0] > 0 ? 'log' : 'linear',
      min: range[0],
      max: range[1],
    },
    series: lines.map((line) => seriesOf(line, size)),
    legend: 'direct',
  };
}

const ALONG: Readonly<Record<ComparisonChart['along'], string>> = {
  evaluations: 'evaluations of the fitness text',
  seconds: 'time worked',
  steps: 'generation or step',
};
const MEASURE = { dense: 'best / dense', baseline: 'best / baseline' };

function seriesOf({ label, points, end, kind }: ChartLine, size: number): Series {
  const all = points.map(({ x, y, spread }) => ({
    x: x / size,
    y,
    ...(spread !== undefined && { low: y - spread, high: y + spread }),
  }));
  // The last best holds up to the end of the run.
  return {
    name: label,
    mark: 'step',
    emphasis: kind === 'baseline' ? 'reference' : 'normal',
    points: [...all, { ...all.at(-1)!, x: end / size }],
  };
}

function timeUnit(seconds: number): readonly [unit: string, size: number] {
  if (seconds < 120) return [' (s)', 1];
  return seconds < 7200 ? [' (min)', 60] : [' (h)', 3600];
}
