import type { Plot } from '../plot.ts';

export const garden: Plot = {
  name: 'garden',
  cast: { A: 'child', B: 'adult', C: 'child', V: 'plant', K: 'vessel', H: 'home', S: 'spot' },
  counts: (rng) => ({ N: 3 + rng.integer(8) }),
  titles: ['The {V.many}', '{N} {V.many}', '{A name} plants a {V.one}'],
  paragraphs: [
    [
      ['In spring {B intro} gave {A intro} {N} seeds.', '{A intro} got {N} seeds from {B intro} in spring.'],
      ['"What will they become?" {A name} asked.', '{A} looked at the {N} little grains.', ''],
      [
        '"{V.many}," [said {B name}|{B} said], "if you take care of them."',
        '"You will see," [said {B name}|{B} said]. "They will be {V.colour}."',
      ],
      [
        '{A} lived {H.in}, and behind {H.the} there was some good earth.',
        'Behind {A his} home, {H.in}, there was a small garden.',
      ],
      [
        'There {A} put the seeds into the ground and fetched water with {K a}.',
        '{A} planted all {N} and watered them from {K a}.',
      ],
      ['{C name}, {A his} friend, said: "Nothing will grow there."', '"Nothing grows here," said {C intro}.'],
    ],
    [
      ['For two weeks nothing happened.', 'Day after day the earth stayed brown.'],
      [
        '"Did I not tell you?" [said {C name}|{C} said].',
        '{A} was {A.trait} and wanted to dig the seeds up.',
        '"I have done something wrong," {A name} thought.',
      ],
      [
        '"Wait," said {B role}.',
        '{B role} looked over the fence and said: "Wait."',
        'But {B role} only said: "Not yet."',
      ],
      ['Then, after a warm night, there were {N} green tips.', 'One morning {N} tiny leaves looked out of the ground.'],
      [
        'All summer {A name} carried water in {K the}.',
        'When it did not rain, {A name} took {K the} and watered them.',
        'Every evening {K the} was filled and emptied again.',
      ],
      ['The snails came, and {A} carried them away.', 'Once the goat got in and ate a leaf.', ''],
    ],
    [
      ['In autumn the {V.many} were {V.colour} and ripe.', 'In autumn {N} plants were full of {V.colour} {V.many}.'],
      [
        '"Who would have thought it?" [said {C name}|{C} said].',
        '{C} stared at the {V.colour} {V.many}.',
        '"May I try a {V.one}?" {C name} asked.',
      ],
      [
        'From the {V.many} {A+C} made {V.dish}.',
        '{B role} came with a spoon, because there was {V.dish}.',
        '{A} gave {C him} the biggest {V.one}.',
      ],
      ['{A} kept {N} seeds in {K the}, {S.where}.', 'The best seeds went into {K the}, and {K the} was put {S.where}.'],
      [
        'For there will be a spring again.',
        '"For next year," {A name} said.',
        'In the next spring {C name} wanted some of them.',
        'And the {A.trait} {A.noun} had become {A.grown}.',
      ],
    ],
  ],
};
