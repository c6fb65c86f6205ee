import type { Plot } from '../plot.ts';

export const apprentice: Plot = {
  name: 'apprentice',
  cast: { A: 'child', B: 'adult', C: 'adult', K: 'container', S: 'spot', D: 'day', T: 'garment' },
  titles: ['The new helper', '{A name} at {B.work}', 'The missing {B.tool}'],
  paragraphs: [
    [
      ['{B intro} needed somebody to help at {B.work}.', 'At {B.work} {B intro} had too much to do.'],
      ['On {D.day} {A intro} came and asked for the place.', '{A intro} began there on {D.day}.'],
      [
        '"Can you {B.task}?" [asked {B name}|{B} asked].',
        '"You must rise early and {B.task}," [said {B name}|{B} said].',
      ],
      [
        '"I can learn it," [said {A name}|{A} said].',
        '"I have never done it," [said {A name}|{A} said], "but I am not afraid of work."',
      ],
      ['{A} got {T a} to wear.', '{B} gave {A him} {T a} for the work.', ''],
      [
        'Every night the {B.tool} had to be put into {K a}.',
        '"One thing is important," [said {B name}|{B} said]. "The {B.tool} belongs in {K the}."',
      ],
    ],
    [
      [
        'On {D.next} {A name} was tired and left the {B.tool} {S.where}.',
        'On {D.next} {A name} thought of other things and put the {B.tool} {S.where}.',
      ],
      [
        'On {D.after} {C intro} came and wanted {B.makes}.',
        'On {D.after} {C intro} ordered {B.makes} for the evening.',
      ],
      ['{B} opened {K the}, and {K object} was empty.', 'In {K the} there was no {B.tool}.'],
      [
        '"Without it I cannot make any {B.makes}," [said {B name}|{B} said].',
        '"Who has taken the {B.tool}?" {B} asked.',
      ],
      ['{A} turned red and said nothing.', '{A} wanted to run away.', '{A} did not remember at first.'],
      [
        '"I will have to go to another {B.trade}," [said {C name}|{C} said].',
        '"I can wait for an hour," [said {C name}|{C} said].',
      ],
      [
        'Then {A name} said: "It was me. The {B.tool} lies {S.where}."',
        '"It is my fault," [said {A name}|{A} said] at last, and fetched the {B.tool} that lay {S.where}.',
      ],
    ],
    [
      ['{B} was silent for a moment.', 'It was very quiet at {B.work}.', '{B} looked at {A him} for a long time.'],
      [
        '"You told the truth," [said {B name}|{B} said], "and that is worth more than {B.tool a}."',
        '"{B.tool a} can be found again," [said {B name}|{B} said]. "An honest helper is hard to find."',
      ],
      ['{A+B} worked until late, and then everything was ready.', 'Together {A+B} made the {B.makes}.'],
      ['{C} paid and was content.', '"Such good {B.makes} I have never seen," [said {C name}|{C} said].'],
      [
        'From then on the {B.tool} lay in {K the} every night.',
        'After that {A name} never forgot {K the} again.',
        'Years later {B.work} belonged to {A name}, and {K the} still stood there.',
      ],
    ],
  ],
};
