import { formatPerplexity, formatShare } from '../../../src/experiment/format.ts';
import type { MaskPicture, PicturePart } from '../../../src/search/maskPicture.ts';
import { fill, h } from '../../shared/dom.ts';
import type { Theme } from '../../shared/theme.ts';
import { HeatMap } from '../structure/heatMap.ts';
import { HistogramChart } from '../structure/histogramChart.ts';
import { plural } from '../words.ts';
import { pictureIndex } from './pictures.ts';

type Kind = 'channels' | 'groups' | 'blocks';

const KINDS: Readonly<Record<Kind, { readonly label: string; readonly one: string }>> = {
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
  };
  private readonly bars = new HistogramChart();
  private readonly slider = h('input', {
    type: 'range',
    min: 0,
    max: 0,
    value: 0,
    class: 'scrub',
    'aria-label': 'Checkpoint',
  });
  private readonly when = h('span', { class: 'muted', 'aria-live': 'polite' });
  private readonly latest = h('button', { type: 'button' }, 'Latest');
  private readonly body = h('div', { class: 'keepMaps' });
  private readonly nothing = h('p', { class: 'muted' }, 'Drawn at the first checkpoint of the probabilities.');
  private readonly onScrub: (step: number | undefined) => void;
  private pictures: readonly MaskPicture[] = [];

  /** @param onScrub the step of a checkpoint, undefined for the latest */
  constructor(onScrub: (step: number | undefined) => void) {
    this.onScrub = onScrub;
    this.slider.addEventListener('input', () => {
      this.scrub(Number(this.slider.value));
    });
    this.latest.addEventListener('click', () => {
      this.scrub(this.pictures.length - 1);
    });
    fill(
      this.body,
      h('h3', {}, 'Head groups'),
      this.maps.groups.element,
      h('h3', {}, 'Channels'),
      this.maps.channels.element,
    );
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
      h('div', { class: 'title' }, h('h2', {}, 'How decided they are')),
      h('div', { class: 'canvas short' }, this.bars.canvas),
      h('p', { class: 'muted' }, 'bars: channels · dashed: head groups; at 0 and at 1 all is decided'),
    );
  }

  get picture(): HTMLCanvasElement {
    return this.maps.channels.canvas;
  }

  /** @param at step of the checkpoint that is looked at; undefined for the latest */
  render(pictures: readonly MaskPicture[], at: number | undefined, theme: Theme): void {
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
    const when = `${whenWords(picture)}${index === last ? ' (latest)' : ''}`;
    if (this.when.textContent !== when) fill(this.when, when);
    for (const kind of ['groups', 'channels'] as const) this.draw(kind, picture[kind], picture.step, theme);
    this.bars.show(theme, {
      series: (['channels', 'groups', 'blocks'] as const).flatMap((kind) => {
        const part = picture[kind];
        return part ? [{ label: KINDS[kind].label, shares: part.histogram }] : [];
      }),
    });
  }

  private scrub(index: number): void {
    this.onScrub(index >= this.pictures.length - 1 ? undefined : this.pictures[index]?.step);
  }

  private draw(kind: 'groups' | 'channels', { values, most, each }: PicturePart, step: number, theme: Theme): void {
    const { one, label } = KINDS[kind];
    const columns = Math.max(1, Math.ceil(most / each));
    const mean = values.flat().reduce((sum, value) => sum + value, 0) / Math.max(1, values.flat().length);
    this.maps[kind].render(
      {
        rows: values.length,
        columns,
        at: (block, column) => values[block]?.[column] ?? Number.NaN,
        ...{ min: 0, max: 1 },
        format: (value) => String(Number(value.toFixed(2))),
        rowLabel: (block) => `block ${block + 1}`,
        columnLabel: (column) => String(column * each + 1),
        describe: (block, column) => {
          const value = values[block]?.[column];
          const end = Math.min(most, (column + 1) * each);
          const which = each === 1 ? `${one} ${column + 1}` : `${label} ${column * each + 1} to ${end}, mean`;
          return `block ${block + 1}, ${which}: ${value === undefined ? 'none' : `kept with ${value.toFixed(3)}`}`;
        },
        meaning: each === 1 ? `keep-probability of a ${one}` : `keep-probability, mean of ${each} ${label}`,
        summary: `${values.length} blocks, ${most} ${label} each; kept with ${mean.toFixed(2)} on average.`,
        key: `${step} ${kind}`,
      },
      theme,
    );
  }
}

function whenWords({ step, perplexity, removed }: MaskPicture): string {
  const kept = perplexity === null ? 'perplexity not finite' : `perplexity ${formatPerplexity(perplexity)}`;
  return `${step === 0 ? 'at the beginning' : `after ${plural(step, 'step')}`}: ${kept} with ${formatShare(removed)} removed`;
}
