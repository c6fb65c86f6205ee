import { h } from '../../shared/dom.ts';

export interface ColumnGripEvents {
  /** Pixels that the column has now. */
  readonly width: () => number;
  /** Pixels that it needs for all that is in sight. */
  readonly needed: () => number;
  /** Undefined: as much as there is room. */
  readonly onWiden: (width: number | undefined) => void;
}

const STEP = 40;
const NARROWEST = 80;
const WIDEST = 4000;

/**
 * The right edge of a column's header: dragged, or moved by the arrow keys, it makes the column wider; a double click or Enter makes it as
 * wide as what is in it, and gives the room back the next time.
 */
export function columnGrip(title: string, { width, needed, onWiden }: ColumnGripEvents): HTMLElement {
  let isFitted = false;
  const widen = (wanted: number | undefined): void => {
    onWiden(wanted === undefined ? undefined : Math.round(Math.min(WIDEST, Math.max(NARROWEST, wanted))));
  };
  const fit = (): void => {
    isFitted = !isFitted;
    widen(isFitted ? needed() : undefined);
  };
  const grip = h('span', {
    class: 'grip',
    role: 'separator',
    tabindex: 0,
    'aria-orientation': 'vertical',
    'aria-label': `Width of the column ${title}`,
    title: 'Drag to make the column wider; double click: as wide as what is in it',
    ondblclick: fit,
    onkeydown: (event: KeyboardEvent) => {
      if (event.key === 'ArrowRight') widen(width() + STEP);
      else if (event.key === 'ArrowLeft') widen(width() - STEP);
      else if (event.key === 'Enter') fit();
      else return;
      event.preventDefault();
      event.stopPropagation();
    },
    onpointerdown: (event: PointerEvent) => {
      const [begin, from] = [event.clientX, width()];
      grip.setPointerCapture(event.pointerId);
      const move = ({ clientX }: PointerEvent): void => {
        if (clientX !== begin) widen(from + clientX - begin);
      };
      grip.addEventListener('pointermove', move);
      grip.addEventListener(
        'lostpointercapture',
        () => {
          grip.removeEventListener('pointermove', move);
        },
        { once: true },
      );
      event.preventDefault();
    },
  });
  return grip;
}
