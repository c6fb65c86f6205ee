import type { Plot } from '../plot.ts';

export const race: Plot = {
  name: 'race',
  cast: { A: 'child', B: 'child', G: 'pet', E: 'pet', P: 'place', T: 'garment', D: 'day', W: 'weather' },
  titles: ['The race', '{G name} and {E name}', 'Which is faster?'],
  paragraphs: [
    [
      ['{A intro} had {G intro}.', 'Everywhere {A intro} went, {G intro} went too.'],
      ['{B intro} had {E intro}.', 'And {B intro} had {E intro}.'],
      [
        '"{E name} is faster than {G name}," [said {B name}|{B} said].',
        '"No {G.animal} is as fast as {E name}," [said {B name}|{B} said].',
      ],
      [
        '"Let us see on {D.day}," [said {A name}|{A} said].',
        '"On {D.day} there will be a race," [said {A name}|{A} said].',
      ],
      ['They would run from the bridge {P.to}.', 'The way went from the church {P.to}.'],
      ['Whoever won would get {T a}.', 'The prize {T was|were} {T a}.', 'The mayor gave {T a} for the winner.'],
    ],
    [
      ['{D.day} came, and {W.way}.', 'On {D.day} half the village stood at the road.'],
      ['"One, two, three!" somebody called.', 'A whistle blew.', 'The mayor dropped a handkerchief.'],
      [
        '{E} {E.way} off, and {G name} {G.way} behind.',
        '{E role} {E.way} ahead at once.',
        'Away went {E role}, and {G role} was left behind.',
      ],
      ['"Faster, {G name}!" called {A name}.', '{A} closed both eyes.', '"We have as good as won," {B name} said.'],
      [
        'But half-way somebody had spilled {E.eats}.',
        'Then {E role} saw {E.eats} beside the road.',
        'By the road lay {E.eats}.',
      ],
      ['{E} stopped and ate.', '{E} could not pass by {E.eats}.', '{E role} forgot the race.'],
      [
        '{G} {G.way} past and did not look to the side.',
        '{G role} only wanted to get {P.to}.',
        'Slowly {G role} came and passed.',
      ],
    ],
    [
      ['So {G name} was the first {P.at}.', 'The first who arrived {P.at} was {G name}.'],
      ['{G role} {G.sound}, and everybody clapped.', '{A} ran and hugged {G name}.'],
      [
        '{B} was angry for a minute, then {B} laughed.',
        '"Next time no {E.eats}," [said {B name}|{B} said].',
        '"I should have given {E name} breakfast," [said {B name}|{B} said].',
      ],
      ['{A} got {T the}.', 'Around the neck of {G role} hung {T the}.', '{T the} {T is|are} still kept {P.at}.'],
      [
        'In the evening {G name} got {G.eats} and {E name} got {E.eats}.',
        'But {A name} gave {T the} to {B name}, since {T subject} fitted {B him} better.',
        'And {E name}? {E name} slept with a full stomach.',
      ],
    ],
  ],
};
