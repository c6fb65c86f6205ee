import type { Rng } from '../../../src/base/rng.ts';
import { drawAdult, drawChild, drawPet } from './people.ts';
import type { SlotKind } from './plot.ts';
import * as settings from './settings.ts';
import { type Gender, type Person, type Phrases, pick, type Slot } from './slots.ts';
import { drawContainer, drawGarment, drawTreasure, drawVessel } from './things.ts';

/** Fills the slots of a plot. No two people share a name or a trade, no two slots a phrase. */
export function drawCast(rng: Rng, cast: Readonly<Record<string, SlotKind>>): Record<string, Slot> {
  const slots: Record<string, Slot> = {};
  for (const [name, kind] of Object.entries(cast)) slots[name] = drawSlot(rng, kind, Object.values(slots));
  return slots;
}

function drawSlot(rng: Rng, kind: SlotKind, others: readonly Slot[]): Slot {
  switch (kind) {
    case 'child':
      return drawPerson(rng, drawChild, others);
    case 'adult':
      return drawPerson(rng, drawAdult, others);
    case 'pet':
      return drawPerson(rng, drawPet, others);
    case 'treasure':
      return drawTreasure(rng);
    case 'garment':
      return drawGarment(rng);
    case 'container':
      return drawContainer(rng);
    case 'vessel':
      return drawVessel(rng);
    case 'home':
    case 'spot':
    case 'place':
    case 'weather':
    case 'day':
    case 'goods':
    case 'dish':
    case 'trouble':
    case 'skill':
    case 'noise':
    case 'foundling':
    case 'plant':
      return pick(
        rng,
        PHRASES[kind].filter((phrases) => !others.includes(phrases)),
      );
  }
}

const PHRASES = {
  home: settings.HOMES,
  spot: settings.SPOTS,
  place: settings.PLACES,
  weather: settings.WEATHERS,
  day: settings.DAYS,
  goods: settings.GOODS,
  dish: settings.DISHES,
  trouble: settings.TROUBLES,
  skill: settings.SKILLS,
  noise: settings.NOISES,
  foundling: settings.FOUNDLINGS,
  plant: settings.PLANTS,
} as const satisfies Partial<Record<SlotKind, readonly Phrases[]>>;

/** Two people of one gender leave less room for pronouns: the next one is more often of the other. */
const OTHER_GENDER_SHARE = 0.65;

function drawPerson(
  rng: Rng,
  draw: (rng: Rng, gender: Gender, taken: ReadonlySet<string>) => Person,
  others: readonly Slot[],
): Person {
  const people = others.filter((slot) => slot.kind === 'person');
  const gender = drawGender(rng, people.at(-1)?.gender);
  const taken = new Set(people.map(({ name }) => name));
  for (;;) {
    const person = draw(rng, gender, taken);
    // Children may be two girls; but "the dog" or "the baker" must be one.
    const isAmbiguous = people.some(({ role, fields }) => role === person.role && fields['grown'] === undefined);
    if (!isAmbiguous) return person;
  }
}

function drawGender(rng: Rng, last: Gender | undefined): Gender {
  const first: Gender = last ?? (rng.uniform() < 0.5 ? 'female' : 'male');
  if (last === undefined || rng.uniform() >= OTHER_GENDER_SHARE) return first;
  return first === 'female' ? 'male' : 'female';
}
