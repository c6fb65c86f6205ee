import { type Phrases, phrases } from './slots.ts';

/** Where somebody lives: `in` when it is first told, `the` afterwards. */
export const HOMES: readonly Phrases[] = [
  ['narrow house', 'by the canal'],
  ['little cottage', 'at the edge of the wood'],
  ['white farmhouse', 'on the hill'],
  ['crooked house', 'behind the church'],
  ['tall house', 'near the market square'],
  ['blue houseboat', 'on the river'],
  ['stone hut', 'below the mountain'],
  ['small flat', 'above the bakery'],
  ['old lighthouse', 'on the cape'],
  ['yellow house', 'at the end of the lane'],
  ['low house', 'beside the railway'],
  ['round tower', 'at the town wall'],
  ['brick house', 'opposite the school'],
  ['wooden cabin', 'on the lake'],
  ['green caravan', 'behind the circus'],
  ['pink villa', 'among the olive trees'],
  ['half-timbered house', 'next to the inn'],
  ['attic room', 'over the stables'],
  ['long barn', 'at the crossroads'],
  ['thatched house', 'in the dunes'],
].map(([house, where]) =>
  phrases({ in: `in a${/^[aeiou]/.test(house!) ? 'n' : ''} ${house} ${where}`, the: `the ${house}` }),
);

/** Small places where things are put, lost and found again; the words stay the same, so that a story can come back to them. */
export const SPOTS: readonly Phrases[] = [
  'under the old bench',
  'behind the water barrel',
  'in the hollow tree',
  'beside the garden gate',
  'under the kitchen table',
  'on the window sill',
  'behind the flour sacks',
  'in the tall grass',
  'on the lowest branch of the apple tree',
  'next to the well',
  'under the wooden bridge',
  'between two loose stones',
  'at the foot of the stairs',
  'in the corner of the barn',
  'behind the green curtain',
  'under a heap of leaves',
  'on top of the cupboard',
  'in the empty rowing boat',
  'beneath the blackberry hedge',
  'behind the stone oven',
  'in the drain pipe',
  'under the third step',
  'behind the broken mirror',
  'among the roses',
  'on the highest shelf',
  'below the rain gutter',
  'in the hay',
  'behind the woodpile',
  'inside the grandfather clock',
  'under a flat stone',
  'between the pages of a thick book',
  'in the bird house',
].map((where) => phrases({ where }));

/** Places to go to. */
export const PLACES: readonly Phrases[] = [
  ['the market', 'at', 'the stalls were full of pears and cabbages'],
  ['the river', 'at', 'the water ran fast and brown'],
  ['the harbour', 'at', 'the ships rocked beside the pier'],
  ['the forest', 'in', 'the light fell green through the leaves'],
  ['the meadow', 'in', 'the grass was full of crickets'],
  ['the park', 'in', 'the ducks slept beside the pond'],
  ['the beach', 'at', 'the waves rolled over the sand'],
  ['the castle', 'at', 'the ravens circled over the tower'],
  ['the station', 'at', 'a long train was just leaving'],
  ['the fair', 'at', 'the big wheel turned in the lights'],
  ['the lake', 'at', 'the reeds whispered in the wind'],
  ['the library', 'in', 'nobody spoke louder than a mouse'],
  ['the village square', 'in', 'the fountain splashed all day'],
  ['the vineyard', 'in', 'the grapes hung blue and heavy'],
  ['the theatre', 'at', 'the curtain was just going up'],
  ['the museum', 'in', 'a stuffed whale hung from the ceiling'],
  ['the quarry', 'at', 'the hammers rang on the rock'],
  ['the airfield', 'at', 'a yellow plane was landing'],
  ['the zoo', 'at', 'the seals clapped their fins'],
  ['the swimming pool', 'at', 'the children jumped from the high board'],
  ['the cornfield', 'in', 'the stalks stood higher than a man'],
  ['the mountain hut', 'at', 'the bells of the cows could be heard'],
].map(([name, at, sight]) => phrases({ name: name!, at: `${at} ${name}`, to: `to ${name}`, sight: sight! }));

/** Weather lasts for a story: how it begins, what it does to the way, how it ends. */
export const WEATHERS: readonly Phrases[] = [
  ['One rainy morning', 'the path was full of puddles', 'the rain had stopped', 'with wet hair'],
  ['One windy afternoon', 'the wind pulled at every branch', 'the wind had died down', 'with red cheeks'],
  ['One foggy morning', 'the fog hid even the nearest trees', 'the fog had lifted', 'with damp sleeves'],
  ['One snowy day', 'the snow lay deep on the road', 'the clouds had gone and the snow glittered', 'with cold fingers'],
  ['One hot summer day', 'the dust lay thick on the road', 'the air was cool again', 'with a dry throat'],
  ['One stormy evening', 'the thunder rolled behind the hills', 'the storm had passed', 'with muddy shoes'],
  ['One bright spring morning', 'the first flowers stood beside the path', 'the sun was still shining', 'with a song'],
  [
    'One cold autumn day',
    'yellow leaves blew across the road',
    'the sky was clear and full of stars',
    'with cold ears',
  ],
].map(([one, way, after, arrive]) => phrases({ one: one!, way: way!, after: after!, arrive: arrive! }));

/** A day, the one after it and the one after that. */
export const DAYS: readonly Phrases[] = [
  'Monday',
  'Tuesday',
  'Wednesday',
  'Thursday',
  'Friday',
  'Saturday',
  'Sunday',
].map((day, index, week) => phrases({ day, next: week[(index + 1) % 7]!, after: week[(index + 2) % 7]! }));

/** What can be counted, bought, given away and eaten. */
export const GOODS: readonly Phrases[] = [
  ['apple', 'apples'],
  ['pear', 'pears'],
  ['plum', 'plums'],
  ['egg', 'eggs'],
  ['walnut', 'walnuts'],
  ['cherry', 'cherries'],
  ['peach', 'peaches'],
  ['lemon', 'lemons'],
  ['biscuit', 'biscuits'],
  ['pancake', 'pancakes'],
  ['candle', 'candles'],
  ['fig', 'figs'],
  ['onion', 'onions'],
  ['turnip', 'turnips'],
  ['muffin', 'muffins'],
  ['pretzel', 'pretzels'],
  ['chestnut', 'chestnuts'],
  ['orange', 'oranges'],
].map(([one, many]) => phrases({ one: one!, many: many! }));

/** Dishes, with what goes into them and how they turn out without the one thing that was forgotten. */
export const DISHES: readonly Phrases[] = [
  ['an apple cake', 'the cake', 'flour, butter, apples', 'sugar', 'sweet and golden'],
  ['a pot of soup', 'the soup', 'carrots, leeks, beans', 'salt', 'hot and thick'],
  ['a loaf of bread', 'the bread', 'flour, water, seeds', 'yeast', 'light and brown'],
  ['a plum pie', 'the pie', 'plums, flour, butter', 'cinnamon', 'dark and spicy'],
  ['a big omelette', 'the omelette', 'eggs, milk, mushrooms', 'pepper', 'soft and yellow'],
  ['a rice pudding', 'the pudding', 'rice, milk, raisins', 'vanilla', 'smooth and creamy'],
  ['a batch of dumplings', 'the dumplings', 'potatoes, onions, flour', 'eggs', 'round and tender'],
  ['a pan of noodles', 'the noodles', 'cheese, cream, spinach', 'nutmeg', 'rich and smooth'],
  ['a bean stew', 'the stew', 'beans, tomatoes, bacon', 'garlic', 'red and hearty'],
  ['a cherry strudel', 'the strudel', 'cherries, dough, crumbs', 'almonds', 'crisp and thin'],
  ['a fish soup', 'the fish soup', 'cod, potatoes, fennel', 'saffron', 'yellow and strong'],
  ['a nut cake', 'the nut cake', 'nuts, eggs, butter', 'chocolate', 'dark and moist'],
  ['a lemon tart', 'the tart', 'lemons, butter, cream', 'honey', 'fresh and bright'],
].map(([dish, the, needs, missing, result]) =>
  phrases({ dish: dish!, the: the!, needs: needs!, missing: missing!, result: result! }),
);

/** A trouble on the way, and the one tool that helps: packed early in a story, needed late. */
export const TROUBLES: readonly Phrases[] = [
  ['a coil of rope', 'the rope', 'the bridge had been washed away', 'tied {it} to a tree and climbed across the gap'],
  ['a torch', 'the torch', 'it grew too dark to see the path', 'lit {it} and followed the small circle of light'],
  ['a sharp axe', 'the axe', 'a fallen tree lay across the road', 'cut the trunk in two with {it}'],
  ['a spare wheel', 'the wheel', 'the cart broke on a sharp stone', 'put {it} on in the place of the broken one'],
  [
    'a pair of oars',
    'the oars',
    'the ferry was nowhere to be seen',
    'found a rowing boat and crossed the river with {them}',
  ],
  ['a warm blanket', 'the blanket', 'an icy wind came down from the pass', 'sat under {it} until the wind was gone'],
  ['a book of roads', 'the book', 'the road split into three', 'looked into {it} and chose the middle way'],
  ['a shovel', 'the shovel', 'a bank of snow blocked the gate', 'dug a way through with {it}'],
  [
    'a bag of nuts',
    'the nuts',
    'a hungry bear stood on the path',
    'threw {them} into the bushes and walked on quickly',
  ],
  ['a long pole', 'the pole', 'a ditch full of water lay before them', 'leapt over it with {it}'],
  ['a tin whistle', 'the tin whistle', 'they lost each other in the crowd', 'found each other by the sound of {it}'],
  ['a bar of soap', 'the soap', 'the iron gate would not open', 'rubbed {it} on the hinges until they turned'],
  ['a needle and thread', 'the thread', 'the sail tore from top to bottom', 'sewed it together with {it}'],
  ['a bag of salt', 'the salt', 'the steps were covered with ice', 'scattered {it} and went up slowly'],
  ['a roll of canvas', 'the canvas', 'the rain came down like a waterfall', 'made a tent of {it} and waited'],
].map(([packed, the, trouble, help]) =>
  phrases({ packed: packed!, the: the!, trouble: trouble!, help: help!.replace(/\{(it|them)\}/, the!) }),
);

/** Skills that take practice: what goes wrong at first, and what is done in the end. */
export const SKILLS: readonly Phrases[] = [
  [
    'play the violin',
    'playing the violin',
    'the strings screeched like gulls',
    'played a long dance without one wrong note',
  ],
  ['ride a horse', 'riding a horse', 'the horse stopped and would not move', 'rode once around the whole village'],
  ['swim', 'swimming', 'the water got into every ear', 'swam to the island and back'],
  ['juggle', 'juggling', 'the balls flew in all directions', 'kept five balls in the air'],
  ['skate', 'skating', 'the ice was harder than it looked', 'drew a perfect circle on the ice'],
  ['carve wood', 'carving wood', 'the knife slipped and the duck lost its head', 'carved a duck that almost swam'],
  ['whistle', 'whistling', 'nothing came out but air', 'whistled so well that the birds answered'],
  ['row a boat', 'rowing', 'the boat went round and round', 'rowed straight across the lake'],
  ['paint faces', 'painting faces', 'the nose looked like a potato', 'painted the mayor with every wrinkle'],
  [
    'walk on stilts',
    'walking on stilts',
    'the stilts went one way and the feet another',
    'walked over the wall and the hedge',
  ],
  ['tie knots', 'tying knots', 'every knot came open again', 'tied nine knots with both eyes closed'],
  ['dance the polka', 'dancing the polka', 'the left foot stood on the right one', 'danced until the floor shook'],
  ['sing', 'singing', 'the dogs began to howl', 'sang so softly that it became quite still'],
  ['climb', 'climbing', 'the rope slipped out of both hands', 'climbed to the top of the flagpole'],
  ['bake bread', 'baking', 'the loaf was as hard as a brick', 'baked forty loaves before sunrise'],
].map(([learn, doing, fails, succeeds]) =>
  phrases({ learn: learn!, doing: doing!, fails: fails!, succeeds: succeeds! }),
);

/** Noises in the night, with who turns out to make them and why. */
export const NOISES: readonly Phrases[] = [
  ['a soft tapping', 'the tapping', 'a woodpecker', 'looking for beetles in the beam'],
  ['a long howl', 'the howl', 'the wind', 'blowing over an empty bottle'],
  ['a quick scratching', 'the scratching', 'a hedgehog', 'making a bed of dry leaves'],
  ['a deep rumble', 'the rumble', 'an old barrel', 'rolling from wall to wall'],
  ['a thin squeak', 'the squeak', 'a family of mice', 'sharing a crust of bread'],
  ['a hollow knock', 'the knock', 'a loose shutter', 'swinging in the draught'],
  ['a strange hoot', 'the hoot', 'a young owl', 'calling for its mother'],
  ['a dull thud', 'the thud', 'a ripe pumpkin', 'falling from the roof'],
  ['a merry jingle', 'the jingle', 'a lost goat', 'shaking the bell around its neck'],
  ['a slow creak', 'the creak', 'the old swing', 'moving in the night air'],
  ['a faint hum', 'the hum', 'a swarm of bees', 'resting in the chimney'],
  ['a loud splash', 'the splash', 'an otter', 'jumping into the rain barrel'],
].map(([noise, the, cause, doing]) => phrases({ noise: noise!, the: the!, cause: cause!, doing: doing! }));

/** Wild animals that need help: what is wrong, what helps, where they belong. */
export const FOUNDLINGS: readonly Phrases[] = [
  ['sparrow', 'a bent wing', 'crumbs and water', 'the hedge', 'flew'],
  ['hedgehog', 'a thorn in its paw', 'worms and milk', 'the garden', 'trotted'],
  ['fox cub', 'a cut on its leg', 'meat and eggs', 'the forest', 'ran'],
  ['duckling', 'a line around its foot', 'oats and clover', 'the pond', 'swam'],
  ['tortoise', 'a crack in its shell', 'lettuce and berries', 'the warm stones', 'crawled'],
  ['squirrel', 'a sore tail', 'nuts and apple slices', 'the oak', 'climbed'],
  ['lamb', 'a stone in its hoof', 'warm milk and hay', 'the pasture', 'skipped'],
  ['kitten', 'a burr in its fur', 'cream and sardines', 'the mill', 'ran'],
  ['swallow', 'a torn feather', 'flies and gnats', 'the stable', 'flew'],
  ['frog', 'a scratch on its back', 'beetles and slugs', 'the ditch', 'hopped'],
  ['fawn', 'a sprained leg', 'clover and bark', 'the clearing', 'leapt'],
  ['seal pup', 'a net around its neck', 'herrings and shrimps', 'the bay', 'swam'],
  ['owlet', 'an empty stomach', 'scraps of meat', 'the old barn', 'flew'],
].map(([animal, hurt, food, home, way]) =>
  phrases({ animal: animal!, hurt: hurt!, food: food!, home: home!, way: way! }),
);

/** Plants, from the seed to the table. */
export const PLANTS: readonly Phrases[] = [
  ['pumpkin', 'pumpkins', 'orange', 'soup'],
  ['sunflower', 'sunflowers', 'yellow', 'seed bread'],
  ['strawberry', 'strawberries', 'red', 'jam'],
  ['bean', 'beans', 'green', 'stew'],
  ['tomato', 'tomatoes', 'red', 'sauce'],
  ['blueberry', 'blueberries', 'blue', 'cake'],
  ['carrot', 'carrots', 'orange', 'salad'],
  ['melon', 'melons', 'green', 'ice'],
  ['beetroot', 'beetroots', 'purple', 'borscht'],
  ['radish', 'radishes', 'pink', 'sandwiches'],
  ['pepper', 'peppers', 'yellow', 'goulash'],
  ['cucumber', 'cucumbers', 'dark green', 'pickles'],
  ['raspberry', 'raspberries', 'bright red', 'juice'],
].map(([one, many, colour, dish]) => phrases({ one: one!, many: many!, colour: colour!, dish: dish! }));
