import type { Plot } from '../plot.ts';

export const cooking: Plot = {
  name: 'cooking',
  cast: { A: 'adult', B: 'child', C: 'adult', E: 'dish', H: 'home', K: 'container', D: 'day', W: 'weather' },
  titles: ['No {E.missing}', '{A name} makes {E.dish}', 'Without {E.missing}'],
  paragraphs: [
    [
      [
        'On {D.day} {A intro} invited friends for {D.next}.',
        '{A intro} lived {H.in} and loved to have guests on {D.next}.',
      ],
      ['"I will make {E.dish}," {A} said.', 'There was to be {E.dish}.', '{A} wanted to make {E.dish}.'],
      [
        'On the table stood {E.needs} and a big bowl.',
        '{A} bought {E.needs} and carried everything home.',
        'For {E.the} {A} needed {E.needs} and {E.missing}.',
      ],
      ['{B intro} was allowed to help.', '{A his} neighbour, {B intro}, came to help.'],
      ['{B} washed and stirred, and {A name} sang.', '{A} cut and {B name} stirred.', '{B} read the recipe aloud.'],
      [
        '"And now {E.missing}," [said {A name}|{A} said].',
        '"Where is {E.missing}?" [asked {B name}|{B} asked].',
        'Then {A name} opened {K the}, but there was no {E.missing} in {K object}.',
      ],
    ],
    [
      [
        'But there was no {E.missing} in the whole house.',
        '{K a} stood on the shelf, and it was empty.',
        '{A} looked into every jar and every drawer.',
      ],
      [
        '"Without {E.missing} {E.the} will not be good," {A name} said.',
        '"The shops are closed," [said {A name}|{A} said], "and the guests are coming."',
        '"What shall we do?" {A name} asked.',
      ],
      [
        '"I will ask {C name}," [said {B name}|{B} said] and ran to {C.work}.',
        '{B} had an idea and ran to {C.work}.',
        '"There must be some at {C.work}," [said {B name}|{B} said].',
      ],
      ['There {C intro} was [about to close|still at work].', 'At the door stood {C intro}.'],
      [
        '"{E.missing}? Of course," [said {C name}|{C} said].',
        '"You may have {E.missing} from me," {C} said, "if I may taste {E.the}."',
        '"What do you need {E.missing} for?" [asked {C name}|{C} asked].',
      ],
      ['{B} ran back with {E.missing} in {K a}.', '{B} carried {E.missing} home like a treasure.', ''],
    ],
    [
      [
        'An hour later {E.the} stood on the table.',
        '{E.the} came out {E.result}.',
        'In the end {E.the} looked {E.result}.',
      ],
      [
        'The guests came {W.arrive}.',
        'When the guests came, {W.after}.',
        'On {D.next} the guests sat around the table.',
      ],
      [
        '"How good {E.the} smells," they said.',
        '"{E.result}, as it should be," said the guests.',
        'Nobody spoke while they ate.',
      ],
      ['{C role} got the first plate.', 'The largest piece was for {C role}.', '{A} had invited {C role} too.'],
      [
        '"To {B name}, who found {E.missing}!" [said {A name}|{A} said].',
        '"{B name} saved the evening," [said {A name}|{A} said].',
        'The next day {A name} bought {E.missing} for a whole year.',
        'Since then {K the} has never been without {E.missing}.',
      ],
    ],
  ],
};
