import type { Rng } from '../../../src/base/rng.ts';
import { pick, type Thing } from './slots.ts';

/** What a child may own and lose. */
export function drawTreasure(rng: Rng): Thing {
  return drawThing(rng, pick(rng, TREASURES));
}

/** What one wears. */
export function drawGarment(rng: Rng): Thing {
  return drawThing(rng, pick(rng, GARMENTS));
}

/** What something is kept in: always one. */
export function drawContainer(rng: Rng): Thing {
  return drawThing(rng, pick(rng, CONTAINERS));
}

/** What water is carried in. */
export function drawVessel(rng: Rng): Thing {
  return drawThing(rng, pick(rng, VESSELS));
}

interface ThingWords {
  readonly noun: string;
  readonly plural?: true;
  readonly looks: keyof typeof LOOKS;
  /** What it does when all is well: "flew high". */
  readonly does: string;
}

const COLOURS = 'red blue green yellow white black brown grey purple orange pink silver golden'.split(' ');
const SIZES = 'small big tiny old new round long shiny'.split(' ');

const LOOKS = {
  wood: ['wooden', 'painted', 'carved', 'bamboo'],
  metal: ['tin', 'copper', 'iron', 'brass'],
  cloth: ['woollen', 'cotton', 'silk', 'linen', 'felt'],
  glass: ['glass', 'crystal', 'amber'],
  paper: ['paper', 'cardboard'],
  clay: ['clay', 'stone', 'china'],
  leather: ['leather'],
} as const;

const TREASURES: readonly ThingWords[] = [
  { noun: 'kite', looks: 'paper', does: 'flew high above the roofs' },
  { noun: 'boat', looks: 'wood', does: 'floated down the stream' },
  { noun: 'drum', looks: 'wood', does: 'boomed through the street' },
  { noun: 'flute', looks: 'wood', does: 'sang like a bird' },
  { noun: 'spinning top', looks: 'wood', does: 'spun for a whole minute' },
  { noun: 'puppet', looks: 'cloth', does: 'danced on its strings' },
  { noun: 'lantern', looks: 'paper', does: 'glowed in the dark' },
  { noun: 'compass', looks: 'metal', does: 'pointed to the north' },
  { noun: 'bell', looks: 'metal', does: 'rang clear and bright' },
  { noun: 'key', looks: 'metal', does: 'turned in the lock' },
  { noun: 'whistle', looks: 'metal', does: 'could be heard across the valley' },
  { noun: 'mirror', looks: 'glass', does: 'caught the light of the sun' },
  { noun: 'necklace', looks: 'glass', does: 'sparkled in the sun' },
  { noun: 'marbles', plural: true, looks: 'glass', does: 'rolled across the floor' },
  { noun: 'beads', plural: true, looks: 'glass', does: 'shone like drops of rain' },
  { noun: 'puzzle', looks: 'wood', does: 'showed a ship with three sails' },
  { noun: 'telescope', looks: 'metal', does: 'brought the moon very near' },
  { noun: 'map', looks: 'paper', does: 'showed every path in the hills' },
  { noun: 'notebook', looks: 'leather', does: 'was full of drawings' },
  { noun: 'music box', looks: 'wood', does: 'played a slow waltz' },
  { noun: 'blocks', plural: true, looks: 'wood', does: 'made a tower as tall as a chair' },
  { noun: 'soldiers', plural: true, looks: 'metal', does: 'stood in a straight row' },
  { noun: 'windmill', looks: 'paper', does: 'turned in the breeze' },
  { noun: 'horseshoe', looks: 'metal', does: 'hung over the door' },
  { noun: 'trumpet', looks: 'metal', does: 'woke up the whole street' },
  { noun: 'sledge', looks: 'wood', does: 'was the fastest on the hill' },
  { noun: 'train', looks: 'metal', does: 'ran in a circle around the table' },
  { noun: 'bear', looks: 'cloth', does: 'had only one ear' },
  { noun: 'doll', looks: 'cloth', does: 'could close both eyes' },
  { noun: 'ball', looks: 'leather', does: 'bounced as high as the roof' },
  { noun: 'clock', looks: 'wood', does: 'struck every hour' },
  { noun: 'picture', looks: 'paper', does: 'showed a field of poppies' },
  { noun: 'ring', looks: 'metal', does: 'fitted every finger' },
  { noun: 'dice', plural: true, looks: 'wood', does: 'rattled in their cup' },
  { noun: 'feathers', plural: true, looks: 'cloth', does: 'came from a peacock' },
  { noun: 'pearls', plural: true, looks: 'glass', does: 'shone in the candlelight' },
  { noun: 'crown', looks: 'paper', does: 'was only a little too large' },
  { noun: 'spinning wheel', looks: 'wood', does: 'hummed like a bee' },
  { noun: 'bottle', looks: 'glass', does: 'had a ship inside' },
  { noun: 'cup', looks: 'clay', does: 'kept the tea warm' },
];

const GARMENTS: readonly ThingWords[] = [
  { noun: 'scarf', looks: 'cloth', does: 'was long enough for two' },
  { noun: 'cap', looks: 'cloth', does: 'kept off the wind' },
  { noun: 'coat', looks: 'cloth', does: 'reached down to the knees' },
  { noun: 'mittens', plural: true, looks: 'cloth', does: 'were soft and warm' },
  { noun: 'socks', plural: true, looks: 'cloth', does: 'were soft and warm' },
  { noun: 'boots', plural: true, looks: 'leather', does: 'kept out the water' },
  { noun: 'gloves', plural: true, looks: 'leather', does: 'fitted well' },
  { noun: 'belt', looks: 'leather', does: 'had a shining buckle' },
  { noun: 'blanket', looks: 'cloth', does: 'covered the whole bed' },
  { noun: 'hat', looks: 'cloth', does: 'had a feather on it' },
  { noun: 'jacket', looks: 'cloth', does: 'had four pockets' },
  { noun: 'apron', looks: 'cloth', does: 'had a pocket in front' },
  { noun: 'slippers', plural: true, looks: 'cloth', does: 'made no sound' },
  { noun: 'ribbon', looks: 'cloth', does: 'fluttered in the wind' },
  { noun: 'cloak', looks: 'cloth', does: 'was heavy and warm' },
];

const CONTAINERS: readonly ThingWords[] = [
  { noun: 'box', looks: 'wood', does: 'stood on the shelf' },
  { noun: 'chest', looks: 'wood', does: 'stood under the window' },
  { noun: 'basket', looks: 'wood', does: 'hung on the wall' },
  { noun: 'jar', looks: 'clay', does: 'stood on the shelf' },
  { noun: 'tin', looks: 'metal', does: 'stood on the shelf' },
  { noun: 'bag', looks: 'leather', does: 'hung behind the door' },
  { noun: 'bucket', looks: 'metal', does: 'stood by the well' },
  { noun: 'sack', looks: 'cloth', does: 'lay in the corner' },
  { noun: 'drawer', looks: 'wood', does: 'creaked a little' },
  { noun: 'trunk', looks: 'leather', does: 'stood at the foot of the bed' },
  { noun: 'vase', looks: 'glass', does: 'stood on the table' },
];

const VESSELS: readonly ThingWords[] = [
  { noun: 'bucket', looks: 'metal', does: 'stood by the well' },
  { noun: 'can', looks: 'metal', does: 'stood by the door' },
  { noun: 'jug', looks: 'clay', does: 'stood on the table' },
  { noun: 'pot', looks: 'clay', does: 'stood by the stove' },
];

/** Two looks at most: more of them read like a catalogue. */
function drawThing(rng: Rng, { noun, plural, looks, does }: ThingWords): Thing {
  const size = rng.uniform() < 0.3 ? [pick(rng, SIZES)] : [];
  const colour = rng.uniform() < 0.7 ? [pick(rng, COLOURS)] : [];
  const material = rng.uniform() < 0.4 ? [pick<string>(rng, LOOKS[looks])] : [];
  const drawn = [...size, ...colour, ...material].slice(0, 2);
  return {
    kind: 'thing',
    noun,
    plural: plural === true,
    looks: drawn.length > 0 ? drawn : [pick(rng, COLOURS)],
    fields: { does, noun },
  };
}
