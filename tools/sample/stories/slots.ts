import type { Rng } from '../../../src/base/rng.ts';

/** Who and what a story is about. A plot names its slots; what fills them is drawn once and stays the same to the end. */
export type Slot = Person | Thing | Phrases;

export type Gender = 'female' | 'male';

export interface Person {
  readonly kind: 'person';
  readonly name: string;
  readonly gender: Gender;
  /** As introduced: "a shy girl called", "an old baker named". */
  readonly intro: string;
  /** A later way to say who it is: "the baker". */
  readonly role: string;
  /** Words that belong to the person, for `{A.work}` and the like. */
  readonly fields: Fields;
}

/** Something that can be owned, lost and found. Its look is drawn with it, and every later mention agrees. */
export interface Thing {
  readonly kind: 'thing';
  readonly noun: string;
  readonly plural: boolean;
  /** Adjectives in the order in which they are said: size before colour before material. */
  readonly looks: readonly string[];
  readonly fields: Fields;
}

/** Phrases that go together: a trouble with the tool that ends it, a day with the day after it. */
export interface Phrases {
  readonly kind: 'phrases';
  readonly fields: Fields;
}

export type Fields = Readonly<Record<string, string>>;

export function phrases(fields: Fields): Phrases {
  return { kind: 'phrases', fields };
}

export function pick<Item>(rng: Rng, items: readonly Item[]): Item {
  return items[rng.integer(items.length)]!;
}
