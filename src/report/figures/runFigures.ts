import type { ChartFigure, HeatFigure, SeriesPoint } from '../../figures/figureSchema.ts';
import { plainLine } from '../../base/plainText.ts';
import { FITNESS_WORDS } from '../../search/lifecycle/fitnessText.ts';
import { fitnessIn, objectiveOf } from '../../search/lifecycle/objective.ts';
import { pictureOf } from '../../search/masks/picture.ts';
import type { MaskState } from '../../search/masks/state.ts';
import { bestConfiguration } from '../../search/rates/state.ts';
import type { ReportedRun } from '../reported.ts';
import { runSeed, spreadOf } from '../seeds.ts';
import type { ReportedFigure } from './reportedFigure.ts';

/** Figures of runs that were asked the same but for their seeds: their mean as a line, their spread as a band. @param suffix of the ids */
export function runFigures(runs: readonly ReportedRun[], suffix: string): readonly ReportedFigure[] {
  const [first] = runs;
  if (first === undefined) return [];
  const seeds = runs.length === 1 ? '' : `; mean and standard deviation over the seeds ${runs.map(runSeed).join(', ')}`;
  const named = (id: string, what: string, figure: ReportedFigure['figure'] | undefined): readonly ReportedFigure[] =>
    figure === undefined
      ? []
      : [{ id: `${id}${suffix}`, caption: `${what} of ${plainLine(first.plan.name, 80)}${seeds}.`, figure }];
  switch (first.state.kind) {
    case 'metrics':
      return named('best', 'Best by generation', bestFigure(runs));
    case 'rates':
      return [
        ...named('best', 'Best by generation', bestFigure(runs)),
        ...named('rates', 'Rates by block', ratesFigure(runs)),
      ];
    case 'masks':
      return (['groups', 'channels'] as const).flatMap((part) =>
        named(`keep-${part}`, KEPT[part].title, keepFigure(first.state as MaskState, part)),
      );
    case 'recovery':
      return named('recovery', 'Held-out perplexity by step', recoveryFigure(runs));
  }
}

/** The mean of several series at the places that all of them have. */
function averaged(series: readonly (readonly SeriesPoint[])[]): readonly SeriesPoint[] {
  const maps = series.map((points) => new Map(points.map(({ x, y }) => [x, y])));
  return [...(maps[0]?.keys() ?? [])].flatMap((x): SeriesPoint[] => {
    const values = maps.map((points) => points.get(x)).filter((value) => value !== undefined);
    if (values.length < maps.length) return [];
    const { mean, deviation } = spreadOf(values);
    return [{ x, y: mean, ...(deviation !== undefined && { low: mean - deviation, high: mean + deviation }) }];
  });
}

function bestFigure(runs: readonly ReportedRun[]): ChartFigure | undefined {
  const [first] = runs;
  const points = averaged(
    runs.map(({ state }) =>
      state.kind === 'metrics' || state.kind === 'rates'
        ? state.generations.flatMap(({ generation, bestSoFar }): SeriesPoint[] => {
            const y = bestSoFar === null ? undefined : fitnessIn(bestSoFar);
            return y === undefined ? [] : [{ x: generation + (state.kind === 'metrics' ? 1 : 0), y }];
          })
        : [],
    ),
  );
  if (points.length < 2) return undefined;
  return {
    kind: 'chart',
    title: plainLine(`Best by generation of ${first!.plan.name}`),
    x: { label: 'generation', scale: 'linear', whole: true },
    y: { label: FITNESS_WORDS[objectiveOf(first!.state.opening)].name, scale: 'linear' },
    series: [{ name: 'best', mark: 'step', emphasis: 'main', points }],
    legend: 'none',
  };
}

function ratesFigure(runs: readonly ReportedRun[]): ChartFigure | undefined {
  const best = runs.map(({ state }) => (state.kind === 'rates' ? bestConfiguration(state) : undefined));
  const rates = best.filter((found) => found !== undefined).map((found) => found.rates);
  const points = averaged(rates.map((of) => of.map((y, block) => ({ x: block + 1, y }))));
  if (points.length === 0) return undefined;
  return {
    kind: 'chart',
    title: plainLine(`Rates by block of ${runs[0]!.plan.name}`),
    x: { label: 'block', scale: 'linear', whole: true },
    y: { label: 'share removed', scale: 'linear', format: 'share', min: 0 },
    series: [{ name: 'best', mark: 'bars', emphasis: 'main', points }],
    legend: 'none',
  };
}

const KEPT = {
  groups: { title: 'Keep-probabilities of heads', column: 'group of heads' },
  channels: { title: 'Keep-probabilities of channels', column: 'channel' },
} as const;

/** Columns that can be told apart at a column's width. */
const MOST_COLUMNS = 96;

function keepFigure(state: MaskState, part: 'groups' | 'channels'): HeatFigure | undefined {
  const { latest, opening } = state;
  const picture = latest && opening && pictureOf(latest, opening.components);
  if (!picture) return undefined;
  const { values, each } = picture[part];
  const widest = Math.max(0, ...values.map(({ length }) => length));
  if (widest === 0) return undefined;
  const together = Math.ceil(widest / MOST_COLUMNS);
  const columns = Math.ceil(widest / together);
  const cell = (row: readonly number[], column: number): number | null => {
    const bins = row.slice(column * together, (column + 1) * together);
    return bins.length === 0 ? null : spreadOf(bins).mean;
  };
  return {
    kind: 'heat',
    title: KEPT[part].title,
    rowLabel: 'block',
    columnLabel: KEPT[part].column,
    rows: values.map((_, block) => String(block + 1)),
    columns: Array.from({ length: columns }, (_, i) => String(i * together * each + 1)),
    values: values.map((row) => Array.from({ length: columns }, (_, i) => cell(row, i))),
    min: 0,
    max: 1,
    meaning: 'keep-probability',
  };
}

function recoveryFigure(runs: readonly ReportedRun[]): ChartFigure | undefined {
  const points = averaged(
    runs.map(({ state }) =>
      state.kind === 'recovery'
        ? state.validations.flatMap(({ step, perplexity }): SeriesPoint[] =>
            perplexity === null ? [] : [{ x: step, y: perplexity }],
          )
        : [],
    ),
  );
  if (points.length < 2) return undefined;
  return {
    kind: 'chart',
    title: plainLine(`Held-out perplexity of ${runs[0]!.plan.name}`),
    x: { label: 'step', scale: 'linear', whole: true },
    y: { label: 'held-out perplexity', scale: 'linear' },
    series: [{ name: 'held out', mark: 'line', emphasis: 'main', points }],
    legend: 'none',
  };
}
