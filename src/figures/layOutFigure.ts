import { layOutChart } from './chart.ts';
import type { Figure } from './figureSchema.ts';
import { layOutHeatMap } from './heatMap.ts';
import { layOutParallel } from './parallel.ts';
import type { PrintStyle } from './printStyle.ts';
import type { Scene } from './scene.ts';
import { layOutTree } from './tree.ts';

/** What a figure looks like on paper: pure, the same for every format. */
export function layOutFigure(figure: Figure, style: PrintStyle): Scene {
  switch (figure.kind) {
    case 'chart':
      return layOutChart(figure, style);
    case 'heat':
      return layOutHeatMap(figure, style);
    case 'parallel':
      return layOutParallel(figure, style);
    case 'tree':
      return layOutTree(figure, style);
  }
}
