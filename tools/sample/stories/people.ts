import type { Rng } from '../../../src/base/rng.ts';
import { type Fields, type Gender, type Person, pick } from './slots.ts';
import { withArticle } from './words.ts';

/** A child: `trait` is what it is at first, `grown` what it may become. */
export function drawChild(rng: Rng, gender: Gender, taken: ReadonlySet<string>): Person {
  const name = drawName(rng, gender, taken);
  const noun = gender === 'female' ? 'girl' : 'boy';
  const trait = pick(rng, TRAITS);
  return {
    kind: 'person',
    name,
    gender,
    intro: `${withArticle(`${trait.trait} ${noun}`)} ${pick(rng, ['called', 'named'])} ${name}`,
    role: `the ${noun}`,
    fields: { ...trait, noun },
  };
}

/** A grown-up with a trade: where it works, what it makes and with what. */
export function drawAdult(rng: Rng, gender: Gender, taken: ReadonlySet<string>): Person {
  const name = drawName(rng, gender, taken);
  const trade = pick(rng, TRADES);
  const age = pick(rng, ['young', 'old', 'tall', 'quiet', 'friendly', 'busy']);
  return {
    kind: 'person',
    name,
    gender,
    intro: `${withArticle(`${age} ${trade.trade}`)} ${pick(rng, ['called', 'named'])} ${name}`,
    role: `the ${trade.trade}`,
    fields: { ...trade, noun: gender === 'female' ? 'woman' : 'man', trait: age },
  };
}

/** An animal with a name of its own, and therefore he or she. */
export function drawPet(rng: Rng, gender: Gender, taken: ReadonlySet<string>): Person {
  const name = pick(
    rng,
    PET_NAMES[gender].filter((free) => !taken.has(free)),
  );
  const pet = pick(rng, PETS);
  const look = pick(rng, ['brown', 'black', 'white', 'grey', 'spotted', 'small', 'fat', 'sleepy']);
  return {
    kind: 'person',
    name,
    gender,
    intro: `${withArticle(`${look} ${pet.animal}`)} ${pick(rng, ['called', 'named'])} ${name}`,
    role: `the ${pet.animal}`,
    fields: { ...pet, look },
  };
}

export const NAMES: Readonly<Record<Gender, readonly string[]>> = {
  female: words(
    `Ada Alma Anna Bella Clara Dora Edith Ella Emma Fay Flora Greta Hanna Hazel Ida Ines Irma Iris Jana Joan Julia Kate Lena Lila
    Lucy Mara Maria Mina Nell Nina Nora Olga Paula Pia Rita Rosa Ruth Sara Sofia Tess Vera Wanda Yara Zoe Martha Elsa Lotte Agnes Alice Beata Berta Carla Celia Dana Diana Erika Eva Frieda Gina Helga Ilse Ingrid Johanna
    Karin Katja Laura Linda Luisa Magda Marta Melina Nadia Nele Paulina Petra Renate Sandra Selma Silvia Susan Tanja Thea Tilda Ulla Veronica Wilma`,
  ),
  male: words(
    `Abel Adam Albert Anton Arno Ben Boris Carl Daniel David Emil Eric Felix Finn Frank Fred George Hans Henry Hugo Ivan Jack Jacob
    Jonas Karl Kurt Leo Leon Liam Lukas Mark Martin Max Milo Nico Noah Oscar Otto Paul Peter Ralf Robert Sam Simon Theo Tim Tom Victor Alfred Andreas Arthur Axel Bernd Bruno Caspar Conrad Dirk Edgar Edwin Ernst Fabian Fritz Gregor Gustav Hannes Harald
    Igor Ingo Jan Jasper Julian Kaspar Klaus Konrad Lars Ludwig Magnus Marco Mats Michael Nils Norbert Olaf Pablo Philip Ralph Roman Rudi Stefan Sven Thomas Ulrich Viktor`,
  ),
};

export const PET_NAMES: Readonly<Record<Gender, readonly string[]>> = {
  female: words('Penny Daisy Luna Misty Poppy Dixie Clover Bonnie Flossy Mopsy'),
  male: words('Biscuit Rusty Bobo Smoky Buster Muffin Button Patch Pickle Shadow'),
};

const TRAITS: readonly (Fields & Readonly<Record<'trait' | 'grown', string>>)[] = [
  { trait: 'shy', grown: 'bold' },
  { trait: 'timid', grown: 'brave' },
  { trait: 'careless', grown: 'careful' },
  { trait: 'impatient', grown: 'patient' },
  { trait: 'forgetful', grown: 'attentive' },
  { trait: 'lonely', grown: 'happy' },
  { trait: 'gloomy', grown: 'cheerful' },
  { trait: 'lazy', grown: 'busy' },
  { trait: 'restless', grown: 'calm' },
  { trait: 'clumsy', grown: 'skilful' },
  { trait: 'greedy', grown: 'generous' },
  { trait: 'proud', grown: 'modest' },
];

const TRADES: readonly (Fields & Readonly<Record<'trade' | 'work' | 'makes' | 'tool' | 'task', string>>)[] = [
  { trade: 'baker', work: 'the bakery', makes: 'bread', tool: 'rolling pin', task: 'knead the dough' },
  { trade: 'carpenter', work: 'the workshop', makes: 'chairs', tool: 'saw', task: 'cut the boards' },
  { trade: 'miller', work: 'the mill', makes: 'flour', tool: 'sieve', task: 'fill the sacks' },
  { trade: 'gardener', work: 'the greenhouse', makes: 'tomatoes', tool: 'spade', task: 'dig the beds' },
  { trade: 'potter', work: 'the pottery', makes: 'bowls', tool: 'clay knife', task: 'shape the clay' },
  { trade: 'weaver', work: 'the weaving room', makes: 'blankets', tool: 'shuttle', task: 'wind the wool' },
  { trade: 'tailor', work: 'the tailor shop', makes: 'coats', tool: 'needle', task: 'sew on the buttons' },
  { trade: 'shepherd', work: 'the hill pasture', makes: 'cheese', tool: 'whistle', task: 'count the sheep' },
  { trade: 'painter', work: 'the studio', makes: 'pictures', tool: 'brush', task: 'mix the colours' },
  { trade: 'beekeeper', work: 'the orchard', makes: 'honey', tool: 'smoker', task: 'carry the hives' },
  { trade: 'blacksmith', work: 'the forge', makes: 'horseshoes', tool: 'hammer', task: 'blow the fire' },
  { trade: 'clockmaker', work: 'the clock shop', makes: 'clocks', tool: 'loupe', task: 'oil the springs' },
  { trade: 'fisher', work: 'the harbour', makes: 'nets', tool: 'line', task: 'mend the nets' },
  { trade: 'cobbler', work: 'the shoe shop', makes: 'boots', tool: 'awl', task: 'polish the boots' },
  { trade: 'glassblower', work: 'the glass house', makes: 'bottles', tool: 'blowpipe', task: 'heat the glass' },
  { trade: 'saddler', work: 'the saddlery', makes: 'saddles', tool: 'hole punch', task: 'grease the leather' },
  { trade: 'florist', work: 'the flower shop', makes: 'wreaths', tool: 'pruning knife', task: 'tie the bunches' },
  { trade: 'mason', work: 'the stone yard', makes: 'steps', tool: 'chisel', task: 'stack the bricks' },
  { trade: 'hatter', work: 'the hat shop', makes: 'hats', tool: 'steam iron', task: 'brush the felt' },
  { trade: 'basket maker', work: 'the willow shed', makes: 'baskets', tool: 'peeling knife', task: 'soak the willow' },
  { trade: 'candle maker', work: 'the wax kitchen', makes: 'candles', tool: 'ladle', task: 'melt the wax' },
  { trade: 'violin maker', work: 'the back room', makes: 'violins', tool: 'little plane', task: 'tune the strings' },
  { trade: 'cheesemaker', work: 'the dairy', makes: 'butter', tool: 'skimmer', task: 'stir the milk' },
  { trade: 'printer', work: 'the print shop', makes: 'posters', tool: 'ink roller', task: 'sort the letters' },
];

const PETS: readonly (Fields & Readonly<Record<'animal' | 'sound' | 'eats' | 'way', string>>)[] = [
  { animal: 'dog', sound: 'barked', eats: 'bones', way: 'ran' },
  { animal: 'cat', sound: 'purred', eats: 'fish', way: 'crept' },
  { animal: 'goat', sound: 'bleated', eats: 'thistles', way: 'climbed' },
  { animal: 'goose', sound: 'hissed', eats: 'barley', way: 'waddled' },
  { animal: 'pony', sound: 'neighed', eats: 'hay', way: 'trotted' },
  { animal: 'donkey', sound: 'brayed', eats: 'carrots', way: 'trudged' },
  { animal: 'hen', sound: 'clucked', eats: 'corn', way: 'scurried' },
  { animal: 'crow', sound: 'cawed', eats: 'crumbs', way: 'flew' },
  { animal: 'piglet', sound: 'squealed', eats: 'turnips', way: 'trotted' },
  { animal: 'sheepdog', sound: 'growled', eats: 'liver', way: 'dashed' },
  { animal: 'rooster', sound: 'crowed', eats: 'oats', way: 'strutted' },
  { animal: 'duck', sound: 'quacked', eats: 'duckweed', way: 'paddled' },
  { animal: 'parrot', sound: 'screeched', eats: 'peanuts', way: 'flapped' },
  { animal: 'mule', sound: 'snorted', eats: 'straw', way: 'plodded' },
  { animal: 'puppy', sound: 'yapped', eats: 'sausages', way: 'tumbled' },
];

function drawName(rng: Rng, gender: Gender, taken: ReadonlySet<string>): string {
  return pick(
    rng,
    NAMES[gender].filter((name) => !taken.has(name)),
  );
}

function words(text: string): string[] {
  return text.split(/\s+/);
}
