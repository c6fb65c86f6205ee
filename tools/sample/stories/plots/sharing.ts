import type { Plot } from '../plot.ts';

/** Arithmetic: N things, K given away, J more given away or eaten, the rest left. */
export const sharing: Plot = {
  name: 'sharing',
  cast: { A: 'child', B: 'child', C: 'adult', F: 'goods', V: 'container', P: 'place', D: 'day' },
  counts: (rng) => {
    const N = 5 + rng.integer(8);
    const K = 1 + rng.integer(N - 3);
    const J = 1 + rng.integer(N - K - 1);
    return { N, K, J, L: N - K, M: N - K - J };
  },
  titles: ['{N of F}', 'How {A name} counted the {F.many}', '{A name} and the {F.many}'],
  paragraphs: [
    [
      [
        'On {D.day} {A intro} came home with {N of F} in {V a}.',
        '{A intro} had {N of F} in {V a}.',
        'On {D.day} {A intro} filled {V a} with {N of F}.',
      ],
      [
        '{A} counted them twice, and there were {N}.',
        '"{N of F}!" {A} said proudly.',
        '{A} wanted to keep them all.',
        'All {N} lay in {V the}.',
      ],
      ['On the way {P.to} {A} met {B intro}.', 'At the corner stood {B intro}.'],
      [
        '"I have had nothing to eat since morning," [said {B name}|{B} said].',
        '"What do you carry there?" {B} asked.',
        '"What have you got in {V the}?" {B} asked.',
      ],
      [
        '{A} thought for a while and gave {B name} {K of F}.',
        '"You may have {K of F}," [said {A name}|{A} said].',
        'So {A name} gave {K of F} to {B name}.',
      ],
      ['Now there were {L of F} left.', '"Then I still have {L}," {A name} said.', 'Of the {N of F} {L} were left.'],
    ],
    [
      [
        'Then {C intro} came out of {C.work}.',
        'Behind them {C intro} had heard everything.',
        'In front of {C.work} sat {C intro}.',
      ],
      [
        '"For {C.makes} I need {J of F}," [said {C name}|{C} said].',
        '"Can you spare {J of F}?" [asked {C name}|{C} asked].',
        '"I will give you a ride on my cart for {J of F}," [said {C name}|{C} said].',
      ],
      [
        '{A} was {A.trait}, but {A} counted out {J of F}.',
        '{A} took {J of F} out of {V the}.',
        '{A} gave {C him} {J} and sighed.',
      ],
      ['{L} less {J} made {M}.', 'That left {M of F}.', 'So in the end {A name} had {M of F}.'],
      ['"From {N} to {M}," {A} said, "that is quick."', '"This morning I had {N}," {A} said.', ''],
    ],
    [
      [
        'But {C role} smiled and brought [a bag of|a basket of|a lot of] {C.makes} from {C.work}.',
        'The next day {C role} sent {C.makes} to {A his} house.',
        '"Wait," said {C role}, and fetched [some|a pile of] {C.makes}.',
      ],
      [
        '{B} shared too, and nobody was hungry.',
        '{A+B} sat down beside each other and ate one each.',
        '{B} [carried|took] {V the} for {A name} all the way {P.to}.',
      ],
      [
        'On {D.next} {A name} was not {A.trait} any more.',
        'Whoever has {M of F} and two friends has enough.',
        '{A} never counted {F.many} again without thinking of {B name}.',
        'In {V the} lay {M of F}, and that was enough.',
      ],
    ],
  ],
};
