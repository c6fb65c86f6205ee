import type { Figure } from '../../src/figures/figureSchema.ts';
import { h, svg } from './dom.ts';

/** What a figure button asks for: the page answers, wherever in it the button stands. */
const ASKED = 'espalier-figure';

/**
 * A button that saves what stands beside it for print.
 *
 * @param figureOf what is shown now; undefined where there is nothing
 * @param name of what is saved, for who does not see where the button stands
 */
export function figureButton(name: string, figureOf: () => Figure | undefined): HTMLButtonElement {
  return h(
    'button',
    {
      type: 'button',
      class: 'figure',
      title: 'Save it for print, as SVG or PDF (width, font and colours: settings espalier.figures)',
      'aria-label': `Save ${name} for print`,
      'data-action': 'figure',
      onclick: (event: MouseEvent) => {
        const figure = figureOf();
        if (figure)
          event.currentTarget!.dispatchEvent(new CustomEvent<Figure>(ASKED, { detail: figure, bubbles: true }));
      },
    },
    // An arrow into a tray.
    svg('svg', { width: 14, height: 14, viewBox: '0 0 14 14', 'aria-hidden': 'true' }, svg('path', { d: ARROW })),
  );
}

const ARROW = 'M7 1.5v7M4 5.5l3 3 3-3M1.5 9.5v3h11v-3';

/** Whatever a figure button of the page asks to be saved. */
export function onFigure(save: (figure: Figure) => void): void {
  document.addEventListener(ASKED, (event) => {
    save((event as CustomEvent<Figure>).detail);
  });
}
