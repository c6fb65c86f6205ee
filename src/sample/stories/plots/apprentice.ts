import type { Plot } from '../plot.ts';

export const apprentice: Plot = {
  name: 'apprentice',
  cast: { A: 'child', B: 'adult', C: 'adult', K: 'container', S: 'spot', D: 'day', T: 'garment' },
  titles: ['The new helper', '{A name} at {B.work}', 'The missing {B.tool}'],
  paragraphs: [
    [
      ['{B intro} needed somebody to help at {B.work}.', 'At {B.work} {B intro} had too much to do.'],
      ['On {D.day} {A intro} came and asked for the place.', '{A intro} began there on {D.day}.'],
      ['"Can you {B.task}?" asked {B name}.', '"You must rise early and {B.task}," said {B name}.'],
      ['"I can learn it," said {A name}.', '"I have never done it," said {A name}, "but I am not afraid of work."'],
      ['{A} got {T a} to wear.', '{B name} gave {A him} {T a} for the work.', ''],
      [
        'Every night the {B.tool} had to be put into {K a}.',
        '"One thing is important," said {B name}. "The {B.tool} belongs in {K the}."',
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
      ['{B name} opened {K the}, and {K object} was empty.', 'In {K the} there was no {B.tool}.'],
      ['"Without it I cannot make any {B.makes}," said {B name}.', '"Who has taken the {B.tool}?" {B} asked.'],
      ['{A name} turned red and said nothing.', '{A name} wanted to run away.', '{A name} did not remember at first.'],
      ['"I will have to go to another {B.trade}," said {C name}.', '"I can wait for an hour," said {C name}.'],
      [
        'Then {A name} said: "It was me. The {B.tool} lies {S.where}."',
        '"It is my fault," said {A name} at last, and fetched the {B.tool} that lay {S.where}.',
      ],
    ],
    [
      ['{B} was silent for a moment.', 'It was very quiet at {B.work}.', '{B} looked at {A him} for a long time.'],
      [
        '"You told the truth," said {B name}, "and that is worth more than a {B.tool}."',
        '"A {B.tool} can be found again," said {B name}. "An honest helper is hard to find."',
      ],
      ['{A+B} worked until late, and then everything was ready.', 'Together {A+B} made the {B.makes}.'],
      ['{C name} paid and was content.', '"Such good {B.makes} I have never seen," said {C name}.'],
      [
        'From then on the {B.tool} lay in {K the} every night.',
        'After that {A name} never forgot {K the} again.',
        'Years later {B.work} belonged to {A name}, and {K the} still stood there.',
      ],
    ],
  ],
};
