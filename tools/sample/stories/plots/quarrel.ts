import type { Plot } from '../plot.ts';

export const quarrel: Plot = {
  name: 'quarrel',
  cast: { A: 'child', B: 'child', C: 'adult', T: 'treasure', P: 'place', S: 'spot', W: 'weather', D: 'day' },
  titles: ['The broken {T.noun}', '{A name} and {B name}', 'Who broke the {T.noun}?'],
  paragraphs: [
    [
      ['{A intro} and {B intro} were neighbours.', '{A intro} sat beside {B intro} at school.'],
      [
        '{W.one} they found {T a} {S.where}.',
        '{W.one}, {P.at}, they found {T a}.',
        'On {D.day} they found {T a} {P.at}.',
      ],
      [
        '"I saw {T object} first," [said {A name}|{A} said].',
        '"{T subject} {T belongs|belong} to me," [said {A name}|{A} said].',
        '"I will take {T object} home," [said {A name}|{A} said].',
      ],
      [
        '"No, I did!" [cried|shouted] {B name}.',
        '"That is not fair," [said {B name}|{B} said].',
        '"You always take everything," {B name} shouted.',
      ],
      [
        '{A} pulled on one side and {B name} on the other.',
        'Both of them pulled, and neither let go.',
        '{B} pushed, {A name} pulled.',
      ],
      [
        'Then there was a crack, and {T the} {T was|were} broken.',
        'Crack! {T the} {T was|were} in pieces.',
        'Suddenly {T the} fell on the stones and broke.',
      ],
    ],
    [
      [
        'Neither of them spoke, and both went home.',
        '"That is your fault," they both said at once.',
        'For a long time {A+B} looked at the pieces.',
      ],
      [
        'That night {A name} could not sleep.',
        'On {D.next} {A name} did not eat any breakfast.',
        'The next morning {A name} missed {B his} voice.',
      ],
      [
        '"I was {A.trait}," {A} thought.',
        '"A friend is worth more than that," {A} thought.',
        '"It is not only {B name} who was wrong," {A} said to {A himself}.',
      ],
      [
        '{A} picked up the pieces and took them to {C.work}.',
        '{A} carried the pieces to {C intro}, who worked at {C.work}.',
        '',
      ],
    ],
    [
      [
        'There stood {B name}, who had had the same idea.',
        'In front of {C.work} {A} met {B name}.',
        'Who was there already? {B name} was.',
      ],
      [
        '"I am sorry," they said both at once.',
        '"Forgive me," [said {A name}|{A} said]. "Forgive me too," [said {B name}|{B} said].',
        '"I am sorry about {T the}," [said {A name}|{A} said].',
      ],
      [
        '{C role} put down the {C.tool} and looked at the pieces.',
        '{C role} laughed and laid the {C.tool} aside.',
        '"First you help me to {C.task}," said {C role}, "then we will see."',
      ],
      [
        'With some glue and much patience {T the} {T was|were} mended.',
        'It took until the evening, and then {T the} {T was|were} whole again.',
        'An hour later only a thin line could be seen on {T the}.',
      ],
      [
        '"One week with {A name}, one week with {B name}," said {C role}.',
        'Since then {T the} {T stands|stand} [on|in] {C his} window, where both can see {T object}.',
        '{A+B} never quarrelled about {T the} again.',
        'Now {T the} {T belongs|belong} to both of them.',
      ],
    ],
  ],
};
