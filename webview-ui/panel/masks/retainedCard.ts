import { formatShare } from '../../../src/experiment/format.ts';
import type { MaskPicture } from '../../../src/search/masks/picture.ts';
import { Changes } from '../../shared/changes.ts';
import { fill, h } from '../../shared/dom.ts';
import type { Theme } from '../../shared/theme.ts';
import { BlockBars, blockBarsLegend } from '../common/blockBars.ts';

/** How much of each block the probabilities keep. */
export class RetainedCard {
  readonly element: HTMLElement;
  private readonly bars = new BlockBars();
  private readonly save = this.bars.saveButton('Kept of each block');
  private readonly legend = h('div', {});
  private readonly room = h('div', { class: 'canvas short' }, this.bars.canvas);
  private readonly changes = new Changes();

  constructor() {
    this.element = h(
      'section',
      { class: 'card', 'aria-label': 'Kept of each block' },
      h('div', { class: 'title' }, h('h2', {}, 'Kept of each block'), this.save),
      this.room,
      this.legend,
    );
  }

  get picture(): HTMLCanvasElement {
    return this.bars.canvas;
  }

  /** @param keep share of the weights that is asked for; undefined under a budget, which asks for a cost */
  render(picture: MaskPicture | undefined, keep: number | undefined, theme: Theme): void {
    if (!this.changes.any(picture, theme)) return;
    this.room.hidden = this.save.hidden = picture === undefined;
    if (!picture) {
      fill(this.legend, h('p', { class: 'muted' }, 'Drawn at the first checkpoint of the probabilities.'));
      return;
    }
    const view = {
      bars: { label: 'kept on average', values: picture.retained },
      references:
        keep === undefined
          ? []
          : [
              {
                label: `kept share (${formatShare(keep)})`,
                values: picture.retained.map(() => keep),
                style: 'uniform' as const,
              },
            ],
      meaning: 'kept share',
    };
    this.bars.show(theme, view);
    fill(this.legend, blockBarsLegend(view));
  }
}
