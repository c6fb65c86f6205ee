import {
  BarController,
  BarElement,
  Chart,
  LineController,
  LineElement,
  PointElement,
  ScatterController,
  Tooltip,
} from 'chart.js';
import type { ChartOptions, ScaleOptionsByType } from 'chart.js';
import { formatPerplexity, formatShare } from '../../../src/experiment/format.ts';
import ZoomPlugin from 'chartjs-plugin-zoom';
import type { Theme } from '../../shared/theme.ts';
import { CrispLinearScale, CrispLogarithmicScale } from './crispScales.ts';
import { differenceTicks, percentAt, placeOf } from './differenceScale.ts';
import type { DifferenceScale } from './differenceScale.ts';
import { niceTicks } from './perplexityScale.ts';
import type { PerplexityScale } from './perplexityScale.ts';

Chart.register(BarController, LineController, ScatterController, CrispLinearScale, CrispLogarithmicScale);
Chart.register(BarElement, LineElement, PointElement, Tooltip, ZoomPlugin);
// Our axes are called otherwise than those that the plugin knows.
for (const known of [ZoomPlugin.zoomFunctions, ZoomPlugin.zoomRectFunctions, ZoomPlugin.panFunctions])
  Object.assign(known, { [CrispLogarithmicScale.id]: known.logarithmic });
// Nothing moves by itself, and what is shown is always the latest.
Chart.defaults.animation = false;
Chart.defaults.maintainAspectRatio = false;

export { Chart };

/** Sizes, fonts and colours that all charts share. */
export function baseOptions(theme: Theme): ChartOptions<'bar' | 'line' | 'scatter'> {
  return {
    animation: false,
    maintainAspectRatio: false,
    parsing: false,
    normalized: true,
    color: theme.foreground,
    font: { family: theme.font, size: theme.fontSize - 1 },
    plugins: {
      tooltip: {
        displayColors: false,
        backgroundColor: theme.background,
        titleColor: theme.foreground,
        bodyColor: theme.foreground,
        titleFont: { family: theme.codeFont, size: theme.fontSize, weight: 'normal' },
        bodyFont: { family: theme.font, size: theme.fontSize - 1 },
        borderColor: theme.focus,
        borderWidth: 1,
        cornerRadius: 2,
        padding: 8,
        caretSize: 4,
      },
    },
  };
}

export function countAxis(theme: Theme, title: string, min: number, max: number): ScaleOptionsByType<'linear'> {
  return {
    type: CrispLinearScale.id,
    min,
    max,
    // Bars would have room left of the first and right of the last.
    offset: false,
    grid: { display: false },
    border: { color: theme.grid },
    title: { display: true, text: title, color: theme.muted, padding: 0, font: fontOf(theme) },
    ticks: {
      precision: 0,
      color: theme.muted,
      font: fontOf(theme),
      maxRotation: 0,
      autoSkipPadding: 16,
      // `1000` as everywhere else, not `1,000`.
      callback: (value: number | string) => String(Number(Number(value).toPrecision(12))),
    },
  } as unknown as ScaleOptionsByType<'linear'>;
}

/** Shares from 0 up, in steps that are round, to the first one with some room below it. */
export function shareAxis(theme: Theme, title: string, highest: number): ScaleOptionsByType<'linear'> {
  const step = [0.02, 0.05, 0.1].find((size) => highest <= 5 * size) ?? 0.2;
  const max = Math.min(1, step * Math.max(1, Math.ceil((1.04 * highest) / step)));
  const axis = countAxis(theme, title, 0, max);
  return {
    ...axis,
    grid: { color: theme.grid, lineWidth: 0.5 },
    border: { display: false },
    ticks: {
      ...axis.ticks,
      precision: 2,
      stepSize: step,
      callback: (value: number | string) => formatShare(Number(value)),
    },
  } as unknown as ScaleOptionsByType<'linear'>;
}

export function perplexityAxis(
  theme: Theme,
  scale: PerplexityScale,
  title = 'perplexity',
): ScaleOptionsByType<'linear'> {
  return {
    type: scale.kind === 'linear' ? CrispLinearScale.id : CrispLogarithmicScale.id,
    display: scale.max > 0,
    min: scale.min,
    max: scale.max > 0 ? scale.max : 1,
    grid: { color: theme.grid, lineWidth: 0.5 },
    border: { display: false },
    title: { display: true, text: title, color: theme.muted, padding: 0, font: fontOf(theme) },
    // A logarithmic scale would put a tick at 143.28571 as well as at 150.
    afterBuildTicks: (axis: { ticks: { value: number }[]; min: number; max: number }) => {
      const { min, max } = axis;
      axis.ticks = scale.max > 0 ? niceTicks({ ...scale, min, max }).map((value) => ({ value })) : [];
    },
    ticks: {
      color: theme.muted,
      font: fontOf(theme),
      callback: (value: number | string, _index: number, ticks: readonly { value: number }[]) =>
        tickText(
          Number(value),
          ticks.map((tick) => tick.value),
        ),
    },
  } as unknown as ScaleOptionsByType<'linear'>;
}

/** Of differences in percent; see {@link differenceScale}. */
export function differenceAxis(
  theme: Theme,
  { min, max }: DifferenceScale,
  title: string,
): ScaleOptionsByType<'linear'> {
  return {
    ...perplexityAxis(theme, { kind: 'linear', min, max, above: 0 }, title),
    display: true,
    min,
    max,
    afterBuildTicks: (axis: { ticks: { value: number }[]; min: number; max: number }) => {
      axis.ticks = differenceTicks(axis.min, axis.max).map((percent) => ({ value: placeOf(percent) }));
    },
    ticks: {
      color: theme.muted,
      font: fontOf(theme),
      callback: (place: number | string) => signedPercent(Number(percentAt(Number(place)).toPrecision(3))),
    },
  } as unknown as ScaleOptionsByType<'linear'>;
}

function signedPercent(percent: number): string {
  return `${percent === 0 ? '' : percent < 0 ? '−' : '+'}${Math.abs(percent)} %`;
}

function fontOf(theme: Theme): { family: string; size: number } {
  return { family: theme.font, size: theme.fontSize - 2 };
}

/** With the decimals of the one that needs most. */
function tickText(value: number, ticks: readonly number[]): string {
  if (value >= 1e6) return formatPerplexity(value);
  const decimals = Math.max(...ticks.map((tick) => String(tick).split('.')[1]?.length ?? 0));
  return ticks.some((tick) => tick >= 1e6) ? String(value) : value.toFixed(decimals);
}
