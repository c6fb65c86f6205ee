import type { Chart, Plugin } from 'chart.js';
import { spreadApart } from '../../../src/figures/spreadApart.ts';

/** Pixels. */
const GAP = 6;
const DASH = 10;
const BEFORE = GAP + DASH + 4;
/** Of the chart's width, at most; a longer label is cut. */
const MOST = 0.4;

/**
 * What a line is called, at its end: nobody has to look up a colour in a legend. Writes each dataset's label to the right of its last point, in a right padding that it makes as wide as they are, moved apart where
 * two would meet. Datasets without a label have none.
 */
export function lineLabels(foreground: string, font: string, size: number): Plugin {
  const cssFont = `${size}px ${font}`;
  return {
    id: 'lineLabels',
    beforeLayout: (chart) => {
      chart.ctx.font = cssFont;
      const widths = chart.data.datasets.map(({ label = '' }) => chart.ctx.measureText(label).width);
      const room = Math.min(MOST * chart.width, BEFORE + Math.max(0, ...widths) + 16);
      chart.options.layout = { padding: { top: 4, right: Math.ceil(room) } };
    },
    afterDatasetsDraw: (chart) => {
      const labels = place(endsOf(chart), size + 2, chart.chartArea.top, chart.chartArea.bottom);
      const { ctx } = chart;
      ctx.save();
      ctx.font = cssFont;
      ctx.textBaseline = 'middle';
      for (const { x, y, text, dash, colour, width } of labels) {
        ctx.strokeStyle = colour;
        ctx.lineWidth = width;
        ctx.setLineDash(dash);
        ctx.beginPath();
        ctx.moveTo(x + GAP, y);
        ctx.lineTo(x + GAP + DASH, y);
        ctx.stroke();
        ctx.fillStyle = foreground;
        ctx.fillText(cut(text, chart.width - x - BEFORE, ctx), x + BEFORE, y);
      }
      ctx.restore();
    },
  };
}

/** As much of a text as there is room for. */
function cut(text: string, room: number, ctx: CanvasRenderingContext2D): string {
  if (ctx.measureText(text).width <= room) return text;
  let length = text.length;
  while (length > 1 && ctx.measureText(`${text.slice(0, length)}…`).width > room) length--;
  return `${text.slice(0, length)}…`;
}

interface Label {
  readonly x: number;
  readonly y: number;
  readonly text: string;
  readonly colour: string;
  readonly dash: number[];
  readonly width: number;
}

function endsOf(chart: Chart): Label[] {
  const { right, top, bottom } = chart.chartArea;
  return chart.data.datasets.flatMap((dataset, index): Label[] => {
    const last = chart.getDatasetMeta(index).data.at(-1);
    if (!last || dataset.label === undefined || dataset.label === '') return [];
    const { borderColor, borderWidth, borderDash } = dataset as {
      borderColor?: string;
      borderWidth?: number;
      borderDash?: number[];
    };
    return [
      {
        x: right,
        y: Math.min(bottom, Math.max(top, last.y)),
        text: last.y < top - 1 ? `${dataset.label} ↑` : dataset.label,
        colour: borderColor ?? '',
        width: borderWidth ?? 1,
        dash: borderDash ?? [],
      },
    ];
  });
}

/** Labels that would overlap are moved apart, each as little as the others allow. */
function place(labels: readonly Label[], height: number, top: number, bottom: number): Label[] {
  const places = spreadApart(
    labels.map(({ y }) => y),
    height,
    top,
    bottom + height / 2,
  );
  return labels.map((label, i) => ({ ...label, y: places[i]! }));
}
