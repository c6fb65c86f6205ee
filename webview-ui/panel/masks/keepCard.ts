import { FITNESS_WORDS, measuredText } from '../../../src/search/lifecycle/fitnessText.ts';
import { objectiveIn } from '../../../src/search/lifecycle/objective.ts';
import { formatShare } from '../../../src/experiment/format.ts';
import type { MaskPicture, PicturePart } from '../../../src/search/masks/picture.ts';
import { Changes } from '../../shared/changes.ts';
import { fill, h, say } from '../../shared/dom.ts';
import type { Theme } from '../../shared/theme.ts';
import type { Picture } from '../common/exportPicture.ts';
import { HeatMap } from '../common/heatMap.ts';
import { HistogramChart } from '../common/histogramChart.ts';
import { plural } from '../common/words.ts';
import { pictureIndex } from './pictures.ts';

/** Channels first: there are the most of them. */
export type ComponentKind = 'channels' | 'groups' | 'blocks';

/** In the order in which they stand below each other. */
const SHOWN = ['blocks', 'groups', 'channels'] as const;

const KINDS: Readonly<Record<ComponentKind, { readonly label: string; readonly one: string }>> = {
  channels: { label: 'channels', one: 'channel' },
  groups: { label: 'head groups', one: 'group' },
  blocks: { label: 'blocks', one: 'block' },
};

/** Keep-probabilities as a map, block × component, that sharpens as they are learned; a slider goes back to earlier checkpoints. */
export class KeepCard {
  readonly element: HTMLElement;
  readonly histogram: HTMLElement;
  private readonly maps = {
    groups: new HeatMap('Keep-probabilities of head groups, by block'),
    channels: new HeatMap('Keep-probabilities of channels, by block'),
    blocks: new HeatMap('Keep-probabilities of whole blocks'),
  };
  private readonly titles = {
    groups: titleOf('Head groups', this.maps.groups),
    channels: titleOf('Channels', this.maps.channels),
    blocks: titleOf('Whole blocks', this.maps.blocks, ''),
  };
  private readonly bars = new HistogramChart();
  private readonly marks = h('p', { class: 'muted' });
  private readonly slider = h('input', {
    type: 'range',
    min: 0,
    max: 0,
    value: 0,
    class: 'scrub',
    'aria-label': 'Checkpoint',
  });
  /** The slider says it itself to who moves it. */
  private readonly when = h('span', { class: 'muted' });
  private readonly latest = h('button', { type: 'button' }, 'Latest');
  private readonly body = h('div', { class: 'keepMaps' });
  private readonly nothing = h('p', { class: 'muted' }, 'Drawn at the first checkpoint of the probabilities.');
  private readonly onScrub: (step: number | undefined) => void;
  private pictures: readonly MaskPicture[] = [];
  private readonly changes = new Changes();

  /** @param onScrub the step of a checkpoint, undefined for the latest */
  constructor(onScrub: (step: number | undefined) => void) {
    this.onScrub = onScrub;
    this.slider.addEventListener('input', () => {
      this.scrub(Number(this.slider.value));
    });
    this.latest.addEventListener('click', () => {
      this.scrub(this.pictures.length - 1);
      // The button is of no use now, and would take the keyboard's focus with it.
      this.slider.focus();
    });
    fill(this.body, ...SHOWN.flatMap((kind) => [this.titles[kind], this.maps[kind].element]));
    this.element = h(
      'section',
      { class: 'card', 'aria-label': 'Keep-probabilities' },
      h('div', { class: 'title' }, h('h2', {}, 'Keep-probabilities'), this.slider, this.latest, this.when),
      this.nothing,
      this.body,
    );
    this.histogram = h(
      'section',
      { class: 'card', 'aria-label': 'Histogram of keep-probabilities' },
      h('div', { class: 'title' }, h('h2', {}, 'How decided they are'), this.bars.saveButton('How decided they are')),
      h('div', { class: 'canvas short' }, this.bars.canvas),
      this.marks,
    );
  }

  /** Those of what may go. */
  get charts(): readonly Picture[] {
    return [
      ...SHOWN.map((kind) => ({
        title: `Keep-probabilities of ${KINDS[kind].label}, 0 to 1: the stronger the more`,
        canvas: this.maps[kind].canvas,
      })),
      { title: 'How many have which keep-probability', canvas: this.bars.canvas },
    ];
  }

  /**
   * @param kinds what may go
   * @param steps the checkpoint that is looked at, undefined for the latest; and the one whose masks a finished search has kept
   */
  render(
    pictures: readonly MaskPicture[],
    kinds: readonly ComponentKind[],
    { at, kept }: { readonly at: number | undefined; readonly kept: number | undefined },
    theme: Theme,
  ): void {
    this.pictures = pictures;
    const index = pictureIndex(pictures, at);
    const picture = pictures[index];
    this.nothing.hidden = picture !== undefined;
    this.body.hidden = picture === undefined;
    for (const part of [this.slider, this.latest]) part.hidden = pictures.length < 2;
    if (!picture) return;
    const last = pictures.length - 1;
    this.slider.max = String(last);
    this.slider.value = String(index);
    this.slider.setAttribute('aria-valuetext', whenWords(picture));
    this.latest.disabled = index === last;
    const marked = [...(index === last ? ['latest'] : []), ...(picture.step === kept ? ['kept'] : [])];
    say(this.when, `${whenWords(picture)}${marked.length === 0 ? '' : ` (${marked.join(', ')})`}`);
    if (!this.changes.any(picture, theme)) return;
    for (const kind of SHOWN) {
      const part = kinds.includes(kind) ? picture[kind] : undefined;
      for (const each of [this.titles[kind], this.maps[kind].element]) each.hidden = part === undefined;
      if (part) this.draw(kind, kind === 'blocks' ? acrossBlocks(part) : part, picture.step, theme);
    }
    const marks = ['bars', 'dashed', 'dotted']
      .slice(0, kinds.length)
      .map((mark, i) => `${mark}: ${KINDS[kinds[i]!].label}`);
    fill(this.marks, `${marks.join(' · ')}; at 0 and at 1 all is decided`);
    this.bars.show(theme, {
      series: kinds.flatMap((kind) => {
        const part = picture[kind];
        return part ? [{ label: KINDS[kind].label, shares: part.histogram }] : [];
      }),
    });
  }

  private scrub(index: number): void {
    this.onScrub(index >= this.pictures.length - 1 ? undefined : this.pictures[index]?.step);
  }

  private draw(kind: ComponentKind, { values, most, each }: PicturePart, step: number, theme: Theme): void {
    const { one, label } = KINDS[kind];
    const columns = Math.max(1, Math.ceil(most / each));
    const mean = values.flat().reduce((sum, value) => sum + value, 0) / Math.max(1, values.flat().length);
    this.maps[kind].render(
      {
        rows: values.length,
        columns,
        at: (block, column) => values[block]?.[column] ?? Number.NaN,
        ...{ min: 0, max: 1 },
        isShare: false,
        format: (value) => String(Number(value.toFixed(2))),
        rowLabel: (block) => (kind === 'blocks' ? 'block' : `block ${block + 1}`),
        along: kind === 'blocks' ? '' : one,
        columnNumber: (column) => Math.min(most, (column + 1) * each),
        describe: (block, column) => {
          const value = values[block]?.[column];
          const end = Math.min(most, (column + 1) * each);
          const which = each === 1 ? `${one} ${column + 1}` : `${label} ${column * each + 1} to ${end}, mean`;
          const where = kind === 'blocks' ? which : `block ${block + 1}, ${which}`;
          return `${where}: ${value === undefined ? 'none' : `kept with ${value.toFixed(3)}`}`;
        },
        meaning: each === 1 ? `keep-probability of a ${one}` : `keep-probability, mean of ${each} ${label}`,
        summary: `${kind === 'blocks' ? `${most} blocks` : `${values.length} blocks, ${most} ${label} each`}; kept with ${mean.toFixed(2)} on average.`,
        key: `${step} ${kind}`,
      },
      theme,
    );
  }
}

/** @param rowLabel what the rows of the map are */
function titleOf(title: string, map: HeatMap, rowLabel?: string): HTMLElement {
  return h(
    'div',
    { class: 'title' },
    h('h3', {}, title),
    map.saveButton(`Keep-probabilities: ${title.toLowerCase()}`, rowLabel),
  );
}

/** One row, a column for each block. */
function acrossBlocks({ values, histogram }: PicturePart): PicturePart {
  return { values: [values.flat()], most: values.length, each: 1, histogram };
}

function whenWords({ step, removed, ...measured }: MaskPicture): string {
  const text = measuredText(measured);
  const objective = objectiveIn(measured);
  const kept =
    text === undefined
      ? `${FITNESS_WORDS[objective].name} not finite`
      : objective === 'perplexity'
        ? `perplexity ${text}`
        : text;
  return `${step === 0 ? 'at the beginning' : `after ${plural(step, 'step')}`}: ${kept} with ${formatShare(removed)} removed`;
}
