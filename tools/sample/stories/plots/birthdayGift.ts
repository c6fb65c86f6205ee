import type { Plot } from '../plot.ts';

export const birthdayGift: Plot = {
  name: 'birthday gift',
  cast: { A: 'child', B: 'child', C: 'adult', T: 'garment', K: 'container', S: 'spot', D: 'day', W: 'weather' },
  titles: ['A gift for {B name}', 'The gift', '{A name} and the {K.noun}'],
  paragraphs: [
    [
      ['On {D.next} {B intro} was going to have a birthday.', '{B intro} had a birthday on {D.next}.'],
      [
        'On {D.day} {B his} friend {A name} still had no gift.',
        '{A intro} had known it for weeks and still had no gift on {D.day}.',
        'On {D.day} {A intro} began to think about a gift.',
      ],
      ['{A} went to {C.work}, where {C intro} was at work.', 'So {A} walked to {C.work} and asked {C intro} for help.'],
      [
        '"What does {B name} like?" {C} asked.',
        '"A gift should be useful," [said {C name}|{C} said].',
        '"I know what {B name} needs," [said {C name}|{C} said].',
      ],
      [
        '"[It is cold|The winter is long] where {B name} lives," {A name} said.',
        '"I have only a little money," {A name} said.',
        '"I want it to be a surprise," {A name} said.',
      ],
      [
        '{C role} gave {A him} {T a}.',
        'From a drawer {C role} took {T a}.',
        'All day {A+C} worked, and in the evening they had made {T a}.',
      ],
      ['{T subject} {T.does}.', ''],
    ],
    [
      [
        '{A} laid {T the} in {K a} and hid {K object} {S.where}.',
        'To keep it secret, {A name} put {T the} into {K a}, and {K the} was hidden {S.where}.',
      ],
      [
        '"Nobody will look there," {A} thought.',
        '"{B name} must not see {K object} before {D.next}," {A} thought.',
        '',
      ],
      [
        'In the night [a storm came|it rained|the wind howled], and {A name} could not sleep.',
        'In the night {A name} woke up and worried.',
        'That night {A name} dreamed that {K the} was empty.',
      ],
    ],
    [
      [
        'On {D.next} {A name} took {K the} from its place {S.where}.',
        'In the morning {A name} went to look, and {K the} was still {S.where}.',
        '{D.next} came, and {A name} fetched {K the}.',
      ],
      ['{T subject} {T was|were} dry and clean.', 'Nothing had happened to {T the}.', ''],
      [
        '{B} opened {K the} and saw {T the}.',
        'When {B name} opened {K the}, {T the} lay inside.',
        '{B} lifted the lid and pulled out {T the}.',
      ],
      [
        '"[How beautiful|What a surprise|Just what I needed]!" {B} [cried|called|said].',
        '{B} put {T object} on at once.',
        '{B} could not say a word.',
      ],
      [
        '"{C role} helped me," [said {A name}|{A} said].',
        '"It comes from {C.work}," [said {A name}|{A} said].',
        '{B} kept {K the} too, for pencils.',
      ],
      [
        'So on {D.after} {A+B} went to {C.work} with [a piece of cake|a slice of cake|the last of the cake] for {C name}.',
        'On {D.after} {B name} wore {T the} to school.',
        'All [winter|year] {B name} was seen in {T the}.',
      ],
    ],
  ],
};
