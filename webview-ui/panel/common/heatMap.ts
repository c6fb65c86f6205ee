import { fill, h } from '../../shared/dom.ts';
import type { Theme } from '../../shared/theme.ts';
import { figureButton } from '../../shared/figureButton.ts';
import { heatFigure } from './blockFigures.ts';
import type { HeatMapView } from './blockViews.ts';
import { ColourScale, css } from './colourScale.ts';
import { onPointed, pointAt } from './crosshair.ts';

/** Pixels. */
const LEFT = 56;
const BOTTOM = 20;
const ROW = { least: 4, most: 30 };
const LEGEND_STEPS = 5;

/**
 * A heat map on a canvas: as many rows and columns as there are, those that share a pixel averaged. Each value can be reached: with the
 * mouse, or with the arrow keys; what is there is said below.
 */
export class HeatMap {
  readonly element: HTMLElement;
  readonly canvas = h('canvas', {});
  private readonly room: HTMLElement;
  private readonly readout = h('p', { class: 'heatReadout', 'aria-live': 'polite' });
  private readonly legend = h('div', { class: 'heatLegend' });
  private view: HeatMapView | undefined;
  private theme: Theme | undefined;
  private cursor: { row: number; column: number } | undefined;
  private pointed: { row: number; column: number } | undefined;
  /** Column that is pointed at in a chart beside. */
  private crossed: number | undefined;
  private drawn = '';

  constructor(label: string) {
    this.room = h(
      'div',
      { class: 'heat', tabindex: 0, role: 'application', 'aria-roledescription': 'heat map', 'aria-label': label },
      this.canvas,
    );
    this.element = h(
      'div',
      { class: 'heatMap' },
      this.room,
      h('div', { class: 'heatBelow' }, this.readout, this.legend),
    );
    new ResizeObserver(() => {
      this.draw();
    }).observe(this.room);
    onPointed((along, number, from) => {
      if (from !== this && along === this.view?.counts) this.follow(number);
      return this.room.isConnected || this.theme === undefined;
    });
    this.room.addEventListener('mousemove', (event) => {
      this.point(this.placeAt(event));
    });
    this.room.addEventListener('mouseleave', () => {
      this.point(undefined);
    });
    this.room.addEventListener('click', (event) => {
      this.cursor = this.placeAt(event) ?? this.cursor;
      this.tell();
      this.draw();
    });
    this.room.addEventListener('keydown', (event) => {
      this.onKey(event);
    });
    this.room.addEventListener('focus', () => {
      this.cursor ??= { row: 0, column: Math.max(0, (this.view?.columns ?? 1) - 1) };
      this.tell();
      this.draw();
    });
    this.room.addEventListener('blur', () => {
      this.draw();
    });
  }

  /** @param title of what is saved @param rowLabel what its rows are */
  saveButton(title: string, rowLabel = 'block'): HTMLElement {
    return figureButton(title, () => this.view && heatFigure(title, rowLabel, this.view));
  }

  render(view: HeatMapView, theme: Theme): void {
    this.view = view;
    const isNew = theme !== this.theme;
    this.theme = theme;
    if (this.cursor && (this.cursor.row >= view.rows || this.cursor.column >= view.columns)) this.cursor = undefined;
    const known = `${view.key} ${this.room.clientWidth}`;
    if (known === this.drawn && !isNew) return;
    this.drawn = known;
    this.room.setAttribute('aria-description', `${view.summary} Arrow keys go from value to value.`);
    this.room.style.height = `${this.rowHeight() * view.rows + BOTTOM}px`;
    this.showLegend(view, theme);
    this.tell();
    this.draw();
  }

  private rowHeight(): number {
    const rows = this.view?.rows ?? 1;
    return Math.min(ROW.most, Math.max(ROW.least, Math.floor(320 / Math.max(1, rows))));
  }

  private draw(): void {
    const { view, theme } = this;
    const width = this.room.clientWidth;
    if (!view || !theme || width === 0) return;
    const height = this.rowHeight() * view.rows + BOTTOM;
    const ratio = devicePixelRatio;
    this.canvas.width = Math.round(width * ratio);
    this.canvas.height = Math.round(height * ratio);
    this.canvas.style.width = `${width}px`;
    this.canvas.style.height = `${height}px`;
    const context = this.canvas.getContext('2d');
    if (!context) return;
    context.scale(ratio, ratio);
    context.font = `${theme.fontSize - 2}px ${theme.font}`;
    this.drawCells(context, view, theme, width - LEFT);
    this.drawLabels(context, view, theme, width - LEFT);
    this.drawCursor(context, view, theme, width - LEFT);
  }

  private drawCells(context: CanvasRenderingContext2D, view: HeatMapView, theme: Theme, width: number): void {
    const scale = new ColourScale(theme);
    const short = view.short ?? view.format;
    const row = this.rowHeight();
    const shown = Math.min(view.columns, Math.max(1, Math.floor(width)));
    const cell = width / shown;
    const gap = row >= 10 && cell >= 6 ? 1 : 0;
    // A number is written where there is room for it: nobody has to read a colour.
    const isWritten = row >= 16 && cell >= context.measureText(short(view.max)).width + 6;
    context.textAlign = 'center';
    context.textBaseline = 'middle';
    for (let r = 0; r < view.rows; r++)
      for (let c = 0; c < shown; c++) {
        const value = binned(view, r, c, shown);
        if (Number.isNaN(value)) continue;
        const share = shareOf(value, view);
        context.fillStyle = css(scale.at(share));
        context.fillRect(LEFT + c * cell, r * row, Math.ceil(cell) - gap, row - gap);
        if (!isWritten) continue;
        context.fillStyle = css(scale.inkOn(share));
        context.fillText(short(value), LEFT + (c + 0.5) * cell, (r + 0.5) * row);
      }
  }

  private drawLabels(context: CanvasRenderingContext2D, view: HeatMapView, theme: Theme, width: number): void {
    const row = this.rowHeight();
    context.fillStyle = theme.muted;
    context.textAlign = 'right';
    context.textBaseline = 'middle';
    const everyRow = Math.ceil(14 / row);
    for (let r = 0; r < view.rows; r += everyRow)
      // The first of very low rows would be cut.
      context.fillText(view.rowLabel(r), LEFT - 6, Math.max(7, (r + 0.5) * row), LEFT - 8);
    context.textBaseline = 'top';
    context.textAlign = 'center';
    const cell = width / view.columns;
    const wide = context.measureText(String(view.columnNumber(view.columns - 1))).width + 16;
    for (const { column, number } of columnTicks(view, Math.floor(width / wide))) {
      const half = context.measureText(String(number)).width / 2;
      const x = LEFT + (column + 0.5) * cell;
      context.fillText(String(number), Math.min(LEFT + width - half, Math.max(LEFT + half, x)), view.rows * row + 4);
    }
    context.textAlign = 'right';
    context.fillText(view.along, LEFT - 6, view.rows * row + 4, LEFT - 8);
  }

  private drawCursor(context: CanvasRenderingContext2D, view: HeatMapView, theme: Theme, width: number): void {
    const row = this.rowHeight();
    const cell = width / view.columns;
    if (this.crossed !== undefined) {
      context.strokeStyle = theme.focus;
      context.lineWidth = 2;
      context.strokeRect(LEFT + this.crossed * cell + 1, 1, Math.max(3, cell) - 2, row * view.rows - 2);
    }
    const place = this.pointed ?? (document.activeElement === this.room ? this.cursor : undefined);
    if (!place) return;
    // Two rings: one of them can be seen on whatever lies below.
    for (const [colour, lineWidth] of [
      [theme.background, 5],
      [theme.focus, 2],
    ] as const) {
      context.strokeStyle = colour;
      context.lineWidth = lineWidth;
      context.strokeRect(LEFT + place.column * cell + 1, place.row * row + 1, Math.max(3, cell) - 2, row - 2);
    }
  }

  /** @param number of what the columns count */
  private follow(number: number | undefined): void {
    const { columns = 0, columnNumber } = this.view ?? {};
    const all = Array.from({ length: columns }, (_, column) => columnNumber!(column));
    const column = number === undefined ? -1 : all.findIndex((last) => last >= number);
    this.crossed = column < 0 ? undefined : column;
    this.draw();
  }

  private showLegend({ min, max, format, meaning }: HeatMapView, theme: Theme): void {
    const scale = new ColourScale(theme);
    fill(
      this.legend,
      h('span', { class: 'muted' }, meaning),
      h(
        'span',
        { class: 'heatSteps' },
        ...Array.from({ length: LEGEND_STEPS }, (_, i) => {
          const share = i / (LEGEND_STEPS - 1);
          const swatch = h('span', { class: 'heatSwatch', 'aria-hidden': 'true' });
          swatch.style.background = css(scale.at(share));
          return h('span', { class: 'heatStep' }, swatch, format(min + share * (max - min)));
        }),
      ),
    );
  }

  private tell(): void {
    const place = this.pointed ?? this.cursor;
    const text = this.view && place ? this.view.describe(place.row, place.column) : '';
    if (this.readout.textContent !== text) fill(this.readout, text);
  }

  private point(place: { row: number; column: number } | undefined): void {
    if (place?.row === this.pointed?.row && place?.column === this.pointed?.column) return;
    this.pointed = place;
    this.crossed = undefined;
    const { counts, columnNumber } = this.view ?? {};
    if (counts !== undefined) pointAt(counts, place && columnNumber?.(place.column), this);
    this.room.title = place && this.view ? this.view.describe(place.row, place.column) : '';
    this.tell();
    this.draw();
  }

  private placeAt(event: MouseEvent): { row: number; column: number } | undefined {
    const { view } = this;
    if (!view) return undefined;
    const box = this.canvas.getBoundingClientRect();
    const row = Math.floor((event.clientY - box.top) / this.rowHeight());
    const column = Math.floor(((event.clientX - box.left - LEFT) / (box.width - LEFT)) * view.columns);
    return row >= 0 && row < view.rows && column >= 0 && column < view.columns ? { row, column } : undefined;
  }

  private onKey(event: KeyboardEvent): void {
    const { view } = this;
    if (!view || view.columns === 0) return;
    const { row, column } = this.cursor ?? { row: 0, column: 0 };
    const moves: Readonly<Record<string, readonly [number, number]>> = {
      ArrowUp: [row - 1, column],
      ArrowDown: [row + 1, column],
      ArrowLeft: [row, column - 1],
      ArrowRight: [row, column + 1],
      PageUp: [row, column - 10],
      PageDown: [row, column + 10],
      Home: [row, 0],
      End: [row, view.columns - 1],
    };
    const move = moves[event.key];
    if (!move) return;
    event.preventDefault();
    this.pointed = undefined;
    this.cursor = {
      row: Math.min(view.rows - 1, Math.max(0, move[0])),
      column: Math.min(view.columns - 1, Math.max(0, move[1])),
    };
    this.tell();
    this.draw();
  }
}

/** Mean of the columns that fall on the same place of `shown`; a row that ends there has fewer. */
function binned(view: HeatMapView, row: number, place: number, shown: number): number {
  const begin = Math.floor((place * view.columns) / shown);
  const end = Math.max(begin + 1, Math.floor(((place + 1) * view.columns) / shown));
  let [sum, count] = [0, 0];
  for (let column = begin; column < end; column++) {
    const value = view.at(row, column);
    if (Number.isNaN(value)) continue;
    sum += value;
    count++;
  }
  return count === 0 ? Number.NaN : sum / count;
}

/** Round numbers, as many as there is room for, each at the column that it lies in. */
export function columnTicks(
  { columns, columnNumber }: Pick<HeatMapView, 'columns' | 'columnNumber'>,
  most: number,
): { readonly column: number; readonly number: number }[] {
  const span = columnNumber(columns - 1) - columnNumber(0) + 1;
  let step = 1;
  for (let power = 1; span / step > Math.max(1, most); power *= 10)
    step = [1, 2, 5].map((factor) => factor * power).find((size) => span / size <= Math.max(1, most)) ?? 10 * power;
  const ticks: { column: number; number: number }[] = [];
  let before = columnNumber(0) - 1;
  for (let column = 0; column < columns; column++) {
    const last = columnNumber(column);
    const number = step * Math.floor(last / step);
    if (number > before) ticks.push({ column, number });
    before = last;
  }
  return ticks;
}

function shareOf(value: number, { min, max }: HeatMapView): number {
  return max > min ? (value - min) / (max - min) : 0.5;
}
