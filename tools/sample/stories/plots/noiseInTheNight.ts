import type { Plot } from '../plot.ts';

export const noiseInTheNight: Plot = {
  name: 'noise in the night',
  cast: { A: 'child', B: 'child', G: 'pet', N: 'noise', H: 'home', S: 'spot', T: 'treasure', W: 'weather' },
  titles: ['{N.the} in the night', 'What was {N.the}?', '{A name} hears {N.noise}'],
  paragraphs: [
    [
      [
        '{A intro} and {A his} [cousin|friend] {B name} spent the holidays {H.in}.',
        '{B intro} was visiting {A intro}, who lived {H.in}.',
      ],
      ['With them lived {G intro}.', 'They had {G intro} with them, who {G.sound} at every stranger.'],
      ['{W.one} they had [played|been] outside for hours, and {W.way}.', '{W.one} they went to bed early.', ''],
      [
        'In the middle of the night {N.noise} came from outside.',
        'At midnight they heard {N.noise}.',
        'Then, in the dark, there was {N.noise}.',
      ],
      ['"Did you hear {N.the}?" {A name} whispered.', '"What is that?" {B name} whispered.', '{G} lifted an ear.'],
    ],
    [
      [
        '"It is a ghost," [said {B name}|{B} said] and pulled the blanket up.',
        '"That can only be a thief," [said {B name}|{B} said].',
        '"Let us stay in bed," [said {B name}|{B} said].',
      ],
      [
        'But {A name} took {T a} from the shelf.',
        '{A} held on to {T a}.',
        '{A} was {A.trait}, but {A} wanted to know.',
      ],
      [
        '{A+B} went down the stairs, and {G name} went first.',
        'On tiptoe {A+B} went to the door. {G name} {G.way} ahead.',
        '"Come, {G name}," [said {A name}|{A} said].',
      ],
      ['{N.the} grew louder.', 'There was {N.the} again.', 'Then {N.the} stopped, and then it began again.'],
      [
        '"It comes from there," [said {A name}|{A} said], and pointed.',
        '"There is something {S.where}," {B name} whispered.',
        '{G} {G.sound}.',
      ],
    ],
    [
      [
        '{S.where} they found {N.cause}, {N.doing}.',
        'It was nothing but {N.cause}, {N.doing}.',
        'And what did they see {S.where}? It was {N.cause}, {N.doing}.',
      ],
      [
        '"That is our ghost," [said {A name}|{A} said] and laughed.',
        '"And I was afraid of {N.cause}," [said {B name}|{B} said].',
        '{B} laughed until the neighbours woke up.',
      ],
      [
        '{G role} {G.sound} and got {G.eats}.',
        '{G role} was given {G.eats} for being so brave.',
        '{G} got all the {G.eats} that were left.',
      ],
      [
        'Back in {H.the} they slept until noon.',
        'The next night they heard {N.the} again and slept on.',
        '{A} put {T the} back on the shelf.',
        'Since then {B name} has not been afraid of {N.noise}.',
      ],
    ],
  ],
};
