import type { Plot } from '../plot.ts';

/** N coins, the thing costs K, earned J more. */
export const market: Plot = {
  name: 'market',
  cast: { A: 'child', B: 'adult', C: 'adult', T: 'treasure', D: 'day', W: 'weather', H: 'home' },
  counts: (rng) => {
    const N = 1 + rng.integer(6);
    const J = 1 + rng.integer(5);
    return { N, J, K: N + J };
  },
  titles: ['{K} coins', '{A name} buys the {T.noun}', 'The price of the {T.noun}'],
  paragraphs: [
    [
      ['Every {D.day} {B intro} sold old things at the market.', 'On {D.day} {B intro} had a stall at the market.'],
      ['Among them {T was|were} {T a}.', 'In the middle of the table lay {T a}.'],
      [
        '{A intro} saw {T the} and stood still.',
        '{A intro} could not look away from {T the}.',
        '{W.one} {A intro} came by and saw {T the}.',
      ],
      ['"How much {T is|are} {T the}?" {A} asked.', '"What do you want for {T the}?" [asked {A name}|{A} asked].'],
      ['"{K} coins," [said {B name}|{B} said].', '"{K} coins, and not one less," [said {B name}|{B} said].'],
      ['{A} counted what was there: {N of coin}.', 'But {A name} had only {N of coin}.'],
      [
        '"Then {J} {J is|are} missing," [said {B name}|{B} said].',
        '"{J} too few," {A} murmured.',
        '"Come back with {J} more," [said {B name}|{B} said].',
      ],
    ],
    [
      ['{A} went to {C.work}, where {C intro} had too much to do.', 'At {C.work} {A} asked {C intro} for work.'],
      [
        '"If you {C.task}, I will give you {J of coin}," [said {C name}|{C} said].',
        '"You may {C.task} for me," [said {C name}|{C} said]. "I will pay {J of coin}."',
      ],
      [
        '{A} worked until {D.next}.',
        'It was hard to {C.task}, and {W.way}.',
        '{A} did it [badly at first, then better|slowly but well].',
      ],
      [
        'In the evening {C role} counted {J of coin} into {A his} hand.',
        '{C role} was pleased and paid the {J of coin}.',
      ],
      ['{N} and {J} made {K}.', 'Now {A name} had {K of coin}.', '"{N} and {J} {J makes|make} {K}," {A name} said.'],
    ],
    [
      [
        'But at the market {B name} was packing up.',
        'With the money {A name} ran to the market.',
        'Out of breath {A name} came to the stall.',
      ],
      ['"Here are {K of coin}," {A} said.', '{A} laid {K of coin} on the table.'],
      [
        '"I have kept {T the} for you," [said {B name}|{B} said].',
        '"Somebody else wanted {T the}," [said {B name}|{B} said], "but I said no."',
        '{B} wrapped {T the} in paper.',
      ],
      ['"How did you earn the money?" {B} asked.', ''],
      ['"I had to {C.task}," [said {A name}|{A} said].', '"At {C.work}," [said {A name}|{A} said].', ''],
      [
        'All the way home {A name} carried {T the} with both hands.',
        'At home {T the} got the best place.',
        '{T subject} {T.does}, and {A name} knew what {T subject} {T was|were} worth.',
        '{A} was poor again, and happy.',
      ],
    ],
  ],
};
