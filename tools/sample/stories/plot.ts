import type { Rng } from '../../../src/base/rng.ts';

/**
 * A kind of story, as data. A scene is a choice of sentences, of which each story tells one (an empty one leaves the scene
 * out); inside a sentence `[often|now and then]` is a choice of words, and tags in braces are filled from the slots
 * (see teller.ts).
 */
export interface Plot {
  readonly name: string;
  readonly cast: Readonly<Record<string, SlotKind>>;
  /** Numbers that the story counts with, 0 to 12, so that what is left is what was there less what was given. */
  readonly counts?: (rng: Rng) => Readonly<Record<string, number>>;
  readonly titles: readonly string[];
  readonly paragraphs: readonly (readonly Scene[])[];
}

export type Scene = readonly string[];

export type SlotKind =
  | 'child'
  | 'adult'
  | 'pet'
  | 'treasure'
  | 'garment'
  | 'container'
  | 'vessel'
  | 'home'
  | 'spot'
  | 'place'
  | 'weather'
  | 'day'
  | 'goods'
  | 'dish'
  | 'trouble'
  | 'skill'
  | 'noise'
  | 'foundling'
  | 'plant';
