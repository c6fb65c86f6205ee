import type { Plot } from '../plot.ts';

export const foundling: Plot = {
  name: 'foundling',
  cast: {
    A: 'child',
    C: 'adult',
    N: 'foundling',
    K: 'container',
    H: 'home',
    S: 'spot',
    P: 'place',
    W: 'weather',
    D: 'day',
  },
  titles: ['The {N.animal}', '{A name} and the {N.animal}', 'The {N.animal} with {N.hurt}'],
  paragraphs: [
    [
      ['{W.one} {A intro} was walking home from {P.name}.', '{W.one} {A intro} came back from {P.name}, and {W.way}.'],
      [
        '{S.where} {A} heard a [faint|small|strange] noise.',
        'Something moved {S.where}.',
        '{S.where} sat something small.',
      ],
      ['It was a [young|little] {N.animal} with {N.hurt}.', 'A little {N.animal} it was, and it had {N.hurt}.'],
      [
        '"Do not be afraid," {A} whispered.',
        '"Poor thing," [said {A name}|{A} said].',
        'The {N.animal} looked at {A him} with dark eyes.',
      ],
      [
        '{A} laid the {N.animal} in {K a} and carried {K object} home.',
        'Carefully {A} put the {N.animal} into {K a}.',
        '{A} had {K a} and made a soft bed of [moss|hay|leaves] in {K object}.',
      ],
    ],
    [
      ['{A} lived {H.in}, and next door lived {C intro}.', '{A his} home was {H.in}. There {C intro} was waiting.'],
      [
        '{C} knew [much about animals|what to do].',
        '{C} looked at the {N.animal} for a long time.',
        '"It has {N.hurt}," [said {C name}|{C} said].',
      ],
      [
        '"Give it {N.food}, and let it rest," said {C role}.',
        '"It needs {N.food}," {C} said, "and a warm place."',
        '"{N.animal a} eats {N.food}," {C} explained.',
      ],
      [
        'So {A name} fetched {N.food} and put {K the} beside the stove.',
        'So {A name} put {N.food} into {K the}.',
        '{A} brought {N.food}, and the {N.animal} ate [a little|everything].',
      ],
      [
        'From {D.day} to {D.after} {A} hardly left {H.the}.',
        'On {D.day} it ate nothing, on {D.next} it ate a little.',
        'On {D.next} the {N.animal} stood up for the first time.',
      ],
      [
        '[Soon|After a week] there was nothing to be seen of {N.hurt}.',
        'Every [morning|evening] {C role} came to {H.the} and asked about the {N.animal}.',
        '',
      ],
    ],
    [
      [
        '"It is well again," said {C role}. "It belongs in {N.home}."',
        'One morning {C role} said: "Now take it back to {N.home}."',
        '"I would like to keep it," [said {A name}|{A} said]. "But its home is {N.home}," [said {C name}|{C} said].',
      ],
      [
        'With a heavy heart {A name} carried {K the} to {N.home}.',
        '{A+C} carried {K the} to {N.home} together.',
        '{A} opened {K the} at {N.home}.',
      ],
      ['The {N.animal} looked back once and {N.way} away.', 'Happily the {N.animal} {N.way} away.'],
      [
        '{K the} was empty now, but {A name} was not sad.',
        'Whenever {A} passes {N.home}, {A} looks for {N.animal a}.',
        'In spring {A name} saw it again, and it was not alone.',
        '"You did well," said {C role}, and that made {A him} proud.',
      ],
    ],
  ],
};
