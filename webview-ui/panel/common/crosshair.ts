import type { Chart, Plugin } from 'chart.js';

/**
 * Where somebody points is shown by every chart of the page that counts the same from left to right: the generation, or the step.
 */
type Listener = (along: string, x: number | undefined, from: object) => boolean;

const listeners = new Set<Listener>();

/** @param from who says so, and needs not be told */
export function pointAt(along: string, x: number | undefined, from: object): void {
  for (const listener of [...listeners]) if (!listener(along, x, from)) listeners.delete(listener);
}

/** Calls back until the listener says that its place is gone. */
export function onPointed(listener: Listener): void {
  listeners.add(listener);
}

/** A vertical line at the place that is pointed at, here or in another chart, which has its values beside it then. */
export class Crosshair {
  /** What is counted. */
  along = '';
  private x: number | undefined;
  private readonly chartOf: () => Chart | undefined;

  constructor(canvas: HTMLCanvasElement, chartOf: () => Chart | undefined) {
    this.chartOf = chartOf;
    onPointed((along, x, from) => {
      if (along === this.along && from !== this) this.follow(x);
      return canvas.isConnected || this.chartOf() === undefined;
    });
  }

  plugin(colour: string): Plugin {
    return {
      id: 'crosshair',
      afterEvent: (chart, { event, inChartArea }) => {
        if (event.type !== 'mousemove' && event.type !== 'mouseout') return;
        const isOver = event.type === 'mousemove' && inChartArea && event.x !== null;
        // Generations and steps are whole numbers.
        this.point(isOver ? Math.round(chart.scales['x']!.getValueForPixel(event.x!)!) : undefined);
      },
      afterDatasetsDraw: (chart) => {
        this.draw(chart, colour);
      },
    };
  }

  private point(x: number | undefined): void {
    if (x === this.x) return;
    this.x = x;
    this.chartOf()?.draw();
    pointAt(this.along, x, this);
  }

  /** What another chart points at. */
  private follow(x: number | undefined): void {
    const chart = this.chartOf();
    if (!chart || x === this.x) return;
    this.x = x;
    const place = { x: x === undefined ? 0 : chart.scales['x']!.getPixelForValue(x), y: chart.chartArea.top };
    const near = chart.data.datasets.flatMap(({ data }, datasetIndex) => {
      const index = data.findIndex((point) => (point as { x: number }).x === x);
      return x === undefined || index < 0 ? [] : [{ datasetIndex, index }];
    });
    chart.tooltip?.setActiveElements(near, place);
    chart.draw();
  }

  private draw({ ctx, chartArea: { left, right, top, bottom }, scales }: Chart, colour: string): void {
    if (this.x === undefined) return;
    const x = Math.round(scales['x']!.getPixelForValue(this.x)) + 0.5;
    if (x < left || x > right + 1) return;
    ctx.save();
    ctx.strokeStyle = colour;
    ctx.lineWidth = 1;
    ctx.beginPath();
    ctx.moveTo(x, top);
    ctx.lineTo(x, bottom);
    ctx.stroke();
    ctx.restore();
  }
}
