import {
  Chart,
  LinearScale,
  LineController,
  LineElement,
  LogarithmicScale,
  PointElement,
  ScatterController,
  Tooltip,
} from 'chart.js';
import type { ChartOptions, ScaleOptionsByType } from 'chart.js';
import { formatPerplexity } from '../../src/experiment/format.ts';
import type { Theme } from '../shared/theme.ts';
import type { PerplexityScale } from './perplexityScale.ts';

Chart.register(LineController, ScatterController, LinearScale, LogarithmicScale, LineElement, PointElement, Tooltip);
// Nothing moves by itself, and what is shown is always the latest.
Chart.defaults.animation = false;
Chart.defaults.maintainAspectRatio = false;

export { Chart };

/** Sizes, fonts and colours that all charts share. */
export function baseOptions(theme: Theme): ChartOptions<'line' | 'scatter'> {
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
    type: 'linear',
    min,
    max,
    grid: { display: false },
    border: { color: theme.grid },
    title: { display: true, text: title, color: theme.muted, padding: 0, font: fontOf(theme) },
    ticks: { precision: 0, color: theme.muted, font: fontOf(theme), maxRotation: 0, autoSkipPadding: 16 },
  } as unknown as ScaleOptionsByType<'linear'>;
}

export function perplexityAxis(theme: Theme, scale: PerplexityScale): ScaleOptionsByType<'linear'> {
  return {
    type: scale.kind,
    min: scale.min,
    max: scale.max,
    grid: { color: theme.grid, lineWidth: theme.isHighContrast ? 0.5 : 1 },
    border: { display: false },
    title: { display: true, text: 'perplexity', color: theme.muted, padding: 0, font: fontOf(theme) },
    // A logarithmic scale would put a tick at 143.28571 as well as at 150.
    afterBuildTicks: (axis: { ticks: { value: number }[] }) => {
      axis.ticks = niceTicks(scale).map((value) => ({ value }));
    },
    ticks: {
      color: theme.muted,
      font: fontOf(theme),
      callback: (value: number | string) => tickText(Number(value)),
    },
  } as unknown as ScaleOptionsByType<'linear'>;
}

function fontOf(theme: Theme): { family: string; size: number } {
  return { family: theme.font, size: theme.fontSize - 2 };
}

/** Round numbers inside a scale, five or so of them. */
export function niceTicks({ kind, min, max }: PerplexityScale): number[] {
  if (kind === 'linear') {
    const rough = (max - min) / 5;
    const power = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 2.5, 5, 10].map((factor) => factor * power).find((size) => size >= rough) ?? rough;
    const first = Math.ceil(min / step);
    return Array.from({ length: Math.floor(max / step) - first + 1 }, (_, i) =>
      Number(((first + i) * step).toPrecision(12)),
    );
  }
  const decades = Math.log10(max / min);
  const factors = decades > 3 ? [1] : decades > 1.3 ? [1, 2, 5] : [1, 1.5, 2, 3, 5, 7];
  const ticks: number[] = [];
  for (let power = Math.floor(Math.log10(min)); power <= Math.ceil(Math.log10(max)); power++)
    ticks.push(...factors.map((factor) => Number((factor * 10 ** power).toPrecision(12))));
  return ticks.filter((value) => value >= min && value <= max);
}

function tickText(value: number): string {
  return value >= 1e6 ? formatPerplexity(value) : String(Number(value.toPrecision(4)));
}
