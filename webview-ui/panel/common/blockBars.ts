import type { ChartDataset } from 'chart.js';
import { formatShare } from '../../../src/experiment/format.ts';
import { h } from '../../shared/dom.ts';
import type { Theme } from '../../shared/theme.ts';
import { figureButton } from '../../shared/figureButton.ts';
import { barsFigure } from './blockFigures.ts';
import type { BlockBarsView } from './blockViews.ts';
import { baseOptions, countAxis, shareAxis } from './charts.ts';
import { LiveChart } from './liveChart.ts';

/** Told apart by shape, dash and colour. */
const MARKS = {
  uniform: { shape: 'line', dash: [8, 3, 2, 3], colour: 'yellow' },
  owl: { shape: 'triangle', dash: [2, 3], colour: 'purple' },
} as const;

/** A share for each decoder block, as bars, with what others give the block. */
export class BlockBars {
  readonly canvas = h('canvas', { role: 'img' });
  private readonly live = new LiveChart(this.canvas, 'x');
  private shown: BlockBarsView | undefined;

  /** @param title of what is saved */
  saveButton(title: string): HTMLElement {
    return figureButton(title, () => this.shown && barsFigure(title, this.shown));
  }

  show(theme: Theme, view: BlockBarsView): void {
    this.shown = view;
    const { bars, references, meaning } = view;
    const blocks = bars.values.length;
    const all = [bars.values, ...references.map(({ values }) => values)].flat().filter(Number.isFinite);
    const pointsOf = (values: readonly number[]): { x: number; y: number }[] => values.map((y, i) => ({ x: i + 1, y }));
    const datasets = [
      ...references.map(({ label, values, style }) => {
        const { shape, dash, colour } = MARKS[style];
        return {
          type: 'line',
          label,
          data: pointsOf(values),
          borderColor: theme[colour],
          backgroundColor: theme[colour],
          borderWidth: style === 'uniform' ? 2 : 1,
          borderDash: dash,
          pointStyle: shape,
          pointRadius: radiusOf(style, blocks),
          pointHitRadius: 8,
          // Seen on the bars, too.
          pointBorderColor: style === 'uniform' ? theme[colour] : theme.background,
          pointBorderWidth: style === 'uniform' ? 2 : 1,
        };
      }),
      {
        type: 'bar',
        label: bars.label,
        data: pointsOf(bars.values),
        backgroundColor: theme.blue,
        borderColor: theme.isHighContrast ? theme.foreground : theme.blue,
        borderWidth: 1,
        categoryPercentage: 1,
        barPercentage: 0.7,
      },
    ] as unknown as ChartDataset[];
    const scales = {
      x: { ...countAxis(theme, 'block', 0.5, blocks + 0.5), afterBuildTicks: wholeNumbers(blocks) },
      y: shareAxis(theme, meaning, Math.max(0.1, ...all)),
    };
    const options = baseOptions(theme);
    this.live.show(theme, datasets, scales, () => ({
      type: 'bar',
      options: {
        ...options,
        layout: { padding: { top: 4 } },
        interaction: { mode: 'index', intersect: false },
        plugins: {
          ...options.plugins,
          tooltip: {
            ...options.plugins?.tooltip,
            callbacks: {
              title: (items) => (items[0] ? `block ${items[0].parsed.x ?? ''}` : ''),
              label: ({ dataset, parsed }) => `${dataset.label ?? ''}: ${formatShare(parsed.y ?? Number.NaN)}`,
            },
          },
        },
      },
    }));
    this.canvas.setAttribute('aria-label', spoken({ bars, references, meaning }));
  }
}

/** A legend in words and marks, for the head of the card. */
export function blockBarsLegend({ bars, references }: BlockBarsView): HTMLElement {
  return h(
    'p',
    { class: 'legend muted' },
    h('span', {}, h('span', { class: 'mark bars', 'aria-hidden': 'true' }), bars.label),
    ...references.map(({ label, style }) =>
      h('span', {}, h('span', { class: `mark ${style}`, 'aria-hidden': 'true' }), label),
    ),
  );
}

/** A line through a single block would have no length. */
function radiusOf(style: keyof typeof MARKS, blocks: number): number {
  if (style === 'uniform') return blocks === 1 ? 24 : 0;
  return blocks > 60 ? 2.5 : 5;
}

function wholeNumbers(blocks: number): (axis: { ticks: { value: number }[] }) => void {
  const step = Math.max(1, Math.ceil(blocks / 24));
  return (axis) => {
    axis.ticks = Array.from({ length: Math.ceil(blocks / step) }, (_, i) => ({ value: 1 + i * step }));
  };
}

function spoken({ bars, references, meaning }: BlockBarsView): string {
  const list = (values: readonly number[]): string => values.map((value) => formatShare(value)).join(', ');
  return [
    `${meaning} by block. ${bars.label}: ${list(bars.values)}.`,
    ...references.map(({ label, values }) => `${label}: ${list(values)}.`),
  ].join(' ');
}
