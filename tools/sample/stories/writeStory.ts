import type { Rng } from '../../../src/base/rng.ts';
import { drawCast } from './cast.ts';
import type { Mention } from './discourse.ts';
import type { Plot } from './plot.ts';
import { PLOTS } from './plots.ts';
import { type Person, pick } from './slots.ts';
import { Teller } from './teller.ts';
import { capitalise } from './words.ts';

export interface Story {
  readonly plot: string;
  readonly title: string;
  /** Paragraphs, a line each. */
  readonly body: string;
  /** Where people are mentioned in the body. */
  readonly mentions: readonly Mention[];
  readonly people: readonly Person[];
}

/** A story of one of the plots, with everything in it drawn from `rng`. */
export function writeStory(rng: Rng): Story {
  return tellPlot(pick(rng, PLOTS), rng);
}

export function tellPlot(plot: Plot, rng: Rng): Story {
  const slots = drawCast(rng, plot.cast);
  const counts = plot.counts?.(rng) ?? {};
  const title = new Teller(rng, slots, counts);
  title.tell(plot.titles);
  const body = new Teller(rng, slots, counts);
  for (const [index, paragraph] of plot.paragraphs.entries()) {
    if (index > 0) body.discourse.say('\n');
    for (const scene of paragraph) body.tell(scene);
  }
  return {
    plot: plot.name,
    title: capitalise(title.discourse.text),
    body: body.discourse.text,
    mentions: body.discourse.mentions,
    people: Object.values(slots).filter((slot) => slot.kind === 'person'),
  };
}

/** As it stands in a corpus: title and paragraphs on lines of their own, an empty line behind. */
export function printStory({ title, body }: Story): string {
  return `${title}\n${body}\n\n`;
}
