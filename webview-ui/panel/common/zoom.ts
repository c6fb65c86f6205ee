import type { Chart, ChartOptions } from 'chart.js';
import type { ZoomPluginOptions } from 'chartjs-plugin-zoom/types/options';
import type { Theme } from '../../shared/theme.ts';
import { between } from './colourScale.ts';

export type ZoomMode = 'x' | 'xy';

type Scales = NonNullable<ChartOptions['scales']>;
interface Range {
  readonly min: number;
  readonly max: number;
}

/** How much closer a key or a turn of the wheel goes, and how far an arrow, in pixels. */
const CLOSER = 1.3;
const WHEEL = 0.1;
const STEP = 40;

/** What part of a chart somebody looks at: chosen by wheel, drag or keyboard, remembered while more arrives. */
export class Zoom {
  private readonly mode: ZoomMode;
  private readonly changed: () => void;
  private ranges: Readonly<Record<string, Range>> | undefined;

  /** @param changed is called when another part is looked at */
  constructor(mode: ZoomMode, changed: () => void) {
    this.mode = mode;
    this.changed = changed;
  }

  get isZoomed(): boolean {
    return this.ranges !== undefined;
  }

  reset(): void {
    if (!this.ranges) return;
    this.ranges = undefined;
    this.changed();
  }

  /** These axes, as far as they are looked at; ends that somebody dragged to are no round numbers, and not written. */
  zoomed(scales: Scales): Scales {
    const { ranges } = this;
    if (!ranges) return scales;
    const part = Object.entries(scales).map(([axis, scale]) => {
      const { ticks } = scale as { ticks?: object };
      return [axis, { ...scale, ...ranges[axis], ticks: { ...ticks, includeBounds: false } }];
    });
    return Object.fromEntries(part) as Scales;
  }

  /**
   * Of the plugin: dragging marks the part to see, with Shift it moves the chart, the wheel zooms with Ctrl alone, since the page is scrolled
   * with it. Nobody leaves what there is.
   */
  options(theme: Theme, scales: Scales): ZoomPluginOptions {
    const limits = Object.entries(scales).map(([axis, scale]) => {
      const { min, max } = scale as { min?: number; max?: number };
      return [axis, { ...(min !== undefined && { min }), ...(max !== undefined && { max }) }];
    });
    const keep = ({ chart }: { chart: Chart }): void => {
      this.keep(chart);
    };
    return {
      limits: Object.fromEntries(limits) as NonNullable<ZoomPluginOptions['limits']>,
      pan: { enabled: true, mode: this.mode, modifierKey: 'shift', threshold: 4, onPanComplete: keep },
      zoom: {
        mode: this.mode,
        wheel: { enabled: true, modifierKey: 'ctrl', speed: WHEEL },
        drag: {
          enabled: true,
          threshold: 8,
          backgroundColor: between(theme.background, theme.focus, 0.25),
          borderColor: theme.focus,
          borderWidth: 1,
          drawTime: 'beforeDatasetsDraw',
        },
        onZoomComplete: keep,
      },
    };
  }

  /** The keyboard, and a double click beside all points, which shows all again. */
  listen(canvas: HTMLCanvasElement, chartOf: () => Chart | undefined): void {
    canvas.tabIndex = 0;
    canvas.setAttribute('aria-description', 'Plus and minus zoom, arrows move, 0 shows all.');
    canvas.addEventListener('keydown', (event) => {
      const chart = chartOf();
      if (!chart || event.ctrlKey || event.metaKey || event.altKey || !this.press(chart, event.key)) return;
      event.preventDefault();
    });
    canvas.addEventListener('dblclick', (event) => {
      if (chartOf()?.getElementsAtEventForMode(event, 'nearest', { intersect: true }, false).length === 0) this.reset();
    });
  }

  private press(chart: Chart, key: string): boolean {
    if (key === '0' || (key === 'Escape' && this.isZoomed)) {
      this.reset();
      return true;
    }
    const move = MOVES[key];
    if (key === '+' || key === '=') chart.zoom(this.amount(CLOSER), 'none');
    else if (key === '-') chart.zoom(this.amount(1 / CLOSER), 'none');
    else if (move && this.isZoomed)
      chart.pan({ x: move[0] * STEP, y: this.mode === 'xy' ? move[1] * STEP : 0 }, undefined, 'none');
    else return false;
    this.keep(chart);
    return true;
  }

  private amount(factor: number): { x: number; y: number } {
    return { x: factor, y: this.mode === 'xy' ? factor : 1 };
  }

  private keep(chart: Chart): void {
    this.ranges = Object.fromEntries(
      Object.entries(chart.scales)
        .filter(([axis]) => this.mode.includes(axis))
        .map(([axis, { min, max }]) => [axis, { min, max }]),
    );
    this.changed();
  }
}

const MOVES: Readonly<Record<string, readonly [x: number, y: number]>> = {
  ArrowLeft: [1, 0],
  ArrowRight: [-1, 0],
  ArrowUp: [0, 1],
  ArrowDown: [0, -1],
};
