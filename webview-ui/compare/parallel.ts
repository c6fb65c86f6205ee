import type { ComparedRun } from '../../src/search/comparison/comparedRun.ts';
import { fill, h, svg } from '../shared/dom.ts';
import { isBrushed } from './settingAxes.ts';
import type { Brush, SettingAxis } from './settingAxes.ts';
import type { RunStyle } from './runStyles.ts';

export interface ParallelView {
  readonly axes: readonly SettingAxis[];
  /** Those that are not hidden. */
  readonly runs: readonly ComparedRun[];
  readonly brushes: readonly Brush[];
  readonly pointed: string | undefined;
  readonly styleOf: (folder: string) => RunStyle;
}

/** Pixels. */
const HEIGHT = 280;
const TOP = 40;
const BOTTOM = 16;
const LEFT = 60;
const RIGHT = 70;
const NARROWEST = 110;
/** Half the width in which an axis is hit. */
const HIT = 14;
const STEP = 0.1;
const CHARACTERS = 16;

/** Every run a line through its settings to what it has come to. Dragging along an axis keeps the runs that go through there. */
export class Parallel {
  readonly element = h('div', { class: 'scroll parallel' });
  private readonly onBrush: (brushes: readonly Brush[]) => void;
  private readonly onPoint: (folder: string | undefined) => void;
  private view: ParallelView | undefined;

  constructor(onBrush: (brushes: readonly Brush[]) => void, onPoint: (folder: string | undefined) => void) {
    this.onBrush = onBrush;
    this.onPoint = onPoint;
    new ResizeObserver(() => {
      this.draw();
    }).observe(this.element);
  }

  show(view: ParallelView): void {
    this.view = view;
    this.draw();
  }

  private draw(): void {
    const { view } = this;
    const room = this.element.clientWidth;
    if (!view || room === 0) return;
    const { axes, runs } = view;
    if (axes.length < 2) {
      fill(this.element, h('p', { class: 'emptyChart' }, 'These runs differ in no setting.'));
      return;
    }
    const held = this.element.contains(document.activeElement)
      ? document.activeElement?.getAttribute('data-axis')
      : null;
    const width = Math.max(room - 2, LEFT + RIGHT + NARROWEST * (axes.length - 1));
    const placeOf = (i: number): number => LEFT + (i * (width - LEFT - RIGHT)) / (axes.length - 1);
    const lines = runs.map((run) => this.line(run, view, placeOf));
    fill(
      this.element,
      svg(
        'svg',
        { width, height: HEIGHT, role: 'group', 'aria-label': 'Settings of the runs, and what they have come to' },
        ...lines,
        ...axes.map((axis, i) => this.axis(axis, placeOf(i), i === axes.length - 1)),
      ),
    );
    if (held != null) this.element.querySelector<SVGElement>(`[data-axis="${CSS.escape(held)}"]`)?.focus();
  }

  private line(
    run: ComparedRun,
    { axes, brushes, pointed, styleOf }: ParallelView,
    placeOf: (i: number) => number,
  ): SVGElement {
    const { colour, dash } = styleOf(run.folder);
    const points = axes.map((axis, i) => ({ x: placeOf(i), height: axis.heightOf(run) }));
    // A run without a setting has a gap there: it leads to no value.
    let path = '';
    let isGap = true;
    for (const { x, height } of points) {
      if (height !== undefined) path += `${isGap ? 'M' : 'L'}${x.toFixed(1)},${yOf(height).toFixed(1)}`;
      isGap = height === undefined;
    }
    const dots = points.flatMap(({ x, height }) =>
      height === undefined ? [] : [svg('circle', { cx: x, cy: yOf(height), r: 2.5 })],
    );
    const isOut = !isBrushed(run, axes, brushes);
    const isFar = isOut || (pointed !== undefined && pointed !== run.folder);
    return svg(
      'g',
      {
        class: `${colour}${isFar ? ' far' : ''}${isOut ? ' out' : ''}`,
        onpointerenter: () => {
          this.onPoint(run.folder);
        },
        onpointerleave: () => {
          this.onPoint(undefined);
        },
      },
      svg('title', {}, run.title),
      svg('path', { class: 'line', d: path, 'stroke-dasharray': dash }),
      svg('path', { class: 'hit', d: path }),
      ...dots,
    );
  }

  private axis(axis: SettingAxis, x: number, isLast: boolean): SVGElement {
    const brush = this.view!.brushes.find(([name]) => name === axis.name);
    const title = axis.name.length > CHARACTERS ? `${axis.name.slice(0, CHARACTERS - 1)}…` : axis.name;
    const ticks = axis.ticks.flatMap(({ at, text }) => [
      svg('line', { x1: x - 3, x2: x + 3, y1: yOf(at), y2: yOf(at) }),
      svg(
        'text',
        { x: x + 6, y: yOf(at), 'dominant-baseline': 'middle' },
        svg('title', {}, text),
        text.length > CHARACTERS ? `${text.slice(0, CHARACTERS - 1)}…` : text,
      ),
    ]);
    const bar =
      brush &&
      svg('rect', {
        class: 'brush',
        x: x - 7,
        width: 14,
        y: yOf(brush[2]),
        height: Math.max(1, yOf(brush[1]) - yOf(brush[2])),
      });
    return svg(
      'g',
      {
        class: `axis${isLast ? ' best' : ''}`,
        tabindex: 0,
        role: 'group',
        'data-axis': axis.name,
        'aria-label': `${axis.name}${axis.kind === 'logarithmic' ? ', logarithmic' : ''}${brush ? ', part of it kept' : ''}. Drag, or arrow keys, to keep a part; Escape for all.`,
        onkeydown: (event: KeyboardEvent) => {
          this.key(event, axis, brush);
        },
        onpointerdown: (event: PointerEvent) => {
          this.drag(event, axis);
        },
      },
      svg('title', {}, `${axis.name}: drag along the axis to keep the runs that go through there; a click keeps all`),
      svg('text', { class: 'name', x, y: 14, 'text-anchor': 'middle' }, title),
      svg('text', { x, y: 28, 'text-anchor': 'middle' }, axis.kind === 'logarithmic' ? 'logarithmic' : ''),
      svg('line', { x1: x, x2: x, y1: yOf(0), y2: yOf(1) }),
      ...ticks,
      ...(bar ? [bar] : []),
      svg('rect', { class: 'grab', x: x - HIT, width: 2 * HIT, y: TOP - 10, height: HEIGHT - TOP - BOTTOM + 20 }),
    );
  }

  private drag(event: PointerEvent, axis: SettingAxis): void {
    const drawing = (event.currentTarget as SVGElement).ownerSVGElement!;
    const heightAt = ({ clientY }: PointerEvent): number => heightOf(clientY - drawing.getBoundingClientRect().top);
    const from = heightAt(event);
    event.preventDefault();
    const move = (moved: PointerEvent): void => {
      const to = heightAt(moved);
      // A click is no part of an axis.
      if (Math.abs(to - from) < 0.02) this.brush(axis, undefined);
      else this.brush(axis, [axis.name, Math.min(from, to), Math.max(from, to)]);
    };
    const end = (ended: PointerEvent): void => {
      removeEventListener('pointermove', move);
      move(ended);
    };
    // The axis is drawn anew meanwhile: the window is not.
    addEventListener('pointermove', move);
    addEventListener('pointerup', end, { once: true });
  }

  private key(event: KeyboardEvent, axis: SettingAxis, brush: Brush | undefined): void {
    const way = { ArrowUp: STEP, ArrowDown: -STEP }[event.key];
    if (event.key === 'Escape' || event.key === 'Delete') this.brush(axis, undefined);
    else if (way === undefined) return;
    else {
      const [, low, high] = brush ?? [axis.name, 0, 1];
      // The upper end, and with Shift the lower one.
      const moved: Brush = event.shiftKey
        ? [axis.name, bounded(low + way), high]
        : [axis.name, low, bounded(high + way)];
      if (moved[1] < moved[2]) this.brush(axis, moved[1] <= 0 && moved[2] >= 1 ? undefined : moved);
    }
    event.preventDefault();
  }

  private brush(axis: SettingAxis, brush: Brush | undefined): void {
    const others = this.view!.brushes.filter(([name]) => name !== axis.name);
    this.onBrush(brush ? [...others, brush] : others);
  }
}

function yOf(height: number): number {
  return HEIGHT - BOTTOM - height * (HEIGHT - TOP - BOTTOM);
}

function heightOf(y: number): number {
  return bounded((HEIGHT - BOTTOM - y) / (HEIGHT - TOP - BOTTOM));
}

function bounded(height: number): number {
  return Math.min(1, Math.max(0, height));
}
