import type { Plot } from './plot.ts';
import { apprentice } from './plots/apprentice.ts';
import { birthdayGift } from './plots/birthdayGift.ts';
import { cooking } from './plots/cooking.ts';
import { foundling } from './plots/foundling.ts';
import { garden } from './plots/garden.ts';
import { journey } from './plots/journey.ts';
import { lesson } from './plots/lesson.ts';
import { letter } from './plots/letter.ts';
import { lostAndFound } from './plots/lostAndFound.ts';
import { market } from './plots/market.ts';
import { noiseInTheNight } from './plots/noiseInTheNight.ts';
import { quarrel } from './plots/quarrel.ts';
import { race } from './plots/race.ts';
import { sharing } from './plots/sharing.ts';

/** Every kind of story that there is. */
export const PLOTS: readonly Plot[] = [
  apprentice,
  birthdayGift,
  cooking,
  foundling,
  garden,
  journey,
  lesson,
  letter,
  lostAndFound,
  market,
  noiseInTheNight,
  quarrel,
  race,
  sharing,
];
