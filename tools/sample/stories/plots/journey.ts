import type { Plot } from '../plot.ts';

/** What is packed in the first paragraph is what is needed in the second. */
export const journey: Plot = {
  name: 'journey',
  cast: {
    A: 'adult',
    B: 'child',
    C: 'adult',
    T: 'treasure',
    O: 'trouble',
    P: 'place',
    H: 'home',
    W: 'weather',
    D: 'day',
  },
  titles: ['The way {P.to}', '{A name} and {O.the}', 'A long way {P.to}'],
  paragraphs: [
    [
      ['{A intro} lived {H.in}.', 'There was once {A intro}, who lived {H.in}.'],
      [
        '{W.one} a letter came from {C intro}: "Please bring me the {T bare}."',
        '{W.one} {A} got a letter. "I need the {T bare} [soon|badly]," wrote {C intro}.',
      ],
      [
        'So {A name} wrapped {T the} in [paper|a cloth] and set out {P.to}.',
        '{T the} had to be {P.at} by {D.after}, and it was {D.day} already.',
        '{A} took {T the} and locked the door of {H.the}.',
      ],
      [
        '"Take {O.packed} with you," said {B intro}, who wanted to come along.',
        '{B intro} came along and carried {O.packed}.',
        '"May I come?" asked {B intro}, and packed {O.packed}.',
      ],
      [
        '"What do we need {O.the} for?" {A name} asked, but {B name} only smiled.',
        '"One never knows," [said {B name}|{B} said].',
        '',
      ],
    ],
    [
      [
        'They walked all day, and {W.way}.',
        'On {D.day} they came as far as the old mill.',
        '{A+B} walked side by side and [sang|talked|said little].',
      ],
      ['Then, on {D.next}, {O.trouble}.', 'But behind the hill {O.trouble}.', 'Half-way {P.to} {O.trouble}.'],
      [
        '"Now we must turn back," [said {A name}|{A} said].',
        '"That is the end of our journey," {A name} sighed.',
        '{A} did not know what to do.',
      ],
      [
        '"We have {O.the}!" {B name} called.',
        '"Have you forgotten {O.the}?" {B name} asked.',
        '{B} did not say a word and took out {O.the}.',
      ],
      ['So they {O.help}.', 'Together they {O.help}.', 'And {A+B} {O.help}.'],
    ],
    [
      [
        'On {D.after} they arrived {P.at} {W.arrive}.',
        '{A+B} came {P.to} when {W.after}.',
        'When they reached {P.name}, {W.after}.',
      ],
      [
        '{C} was waiting and [unpacked|took] {T the}.',
        '{C role} unwrapped {T the} and was happy.',
        '"My {T bare}!" {C name} called from far away.',
      ],
      [
        '"How did you get here so fast?" {C} asked.',
        '"Was it a hard journey?" [asked {C name}|{C} asked].',
        '"I did not think that you would come in this weather," [said {C name}|{C} said].',
      ],
      [
        '"Without {B name} and {O.the} we would not be here," [said {A name}|{A} said].',
        '"{B name} had {O.packed}," [said {A name}|{A} said], "or else we would have turned back."',
        '{A} told the story of {O.the}.',
      ],
      [
        'In return {C role} gave them {C.makes} for the way home.',
        'They stayed for a week and helped to {C.task}.',
        'Ever since, {A role} never leaves {H.the} without {O.packed}.',
        'And when they went home, {B name} carried {O.the} again.',
      ],
    ],
  ],
};
