import type { Plot } from '../plot.ts';

/** Where the thing is found is told in the first paragraph, before anyone misses it. */
export const lostAndFound: Plot = {
  name: 'lost and found',
  cast: { A: 'child', B: 'child', T: 'treasure', H: 'home', S: 'spot', R: 'spot', Q: 'spot', P: 'place', W: 'weather' },
  titles: ['{A name} and the lost {T.noun}', 'The lost {T.noun}', 'Where was the {T.noun}?'],
  paragraphs: [
    [
      ['{A intro} lived {H.in}.', '{H.in} lived {A intro}.'],
      [
        '{A} had {T a}.',
        '{A} [owned|kept] {T a}, and {T subject} {T.does}.',
        'For {A his} birthday {A} had been given {T a}.',
      ],
      [
        'Nothing was [dearer|more precious] to {A him} than {T the}.',
        '{A} took {T object} everywhere.',
        '{A} [polished|looked at] {T object} every evening before going to bed.',
        '',
      ],
      [
        '{W.one} {A} put {T the} {S.where} and went {P.to}.',
        '{W.one} {A} left {T the} {S.where}, because {A} wanted to go {P.to}.',
        '{W.one} {A} hid {T the} {S.where} before going {P.to}.',
      ],
      ['There {P.sight}, and {W.way} on the way back.', 'On the way home {W.way}.', 'There {P.sight}.'],
    ],
    [
      [
        'When {A} came back to {H.the}, {A} had forgotten about it.',
        'Back at {H.the}, {A} could not remember where {T the} {T was|were}.',
        'In the evening {A} wanted to play, but {T the} {T was|were} gone.',
      ],
      [
        '{A} looked {R.where}, but there was [nothing|only dust|only a spider].',
        '{A} searched {R.where} and found [nothing|an old button|a rusty nail].',
      ],
      [
        '"[Somebody|A thief] has taken my {T bare}!" {A} cried.',
        '"My {T bare} {T is|are} lost," {A} said sadly.',
        '"Where {T is|are} my {T bare}?" {A} asked again and again.',
      ],
      [
        '{A his} friend {B name} heard it and came [at once|running].',
        'Just then {B intro} came along the [street|road|path].',
      ],
      [
        '"When did you last see {T object}?" {B} asked.',
        '"Think of what you did today," [said {B name}|{B} said].',
        '"Do not cry," [said {B name}|{B} said], "we will look together."',
      ],
      [
        'They looked {Q.where}, but {T the} {T was|were} not there either.',
        '{A+B} looked {Q.where} first. {T the} {T was|were} not there.',
        '',
      ],
      [
        'Then {A} remembered: "I went {P.to}!"',
        '"Before I went {P.to} I put something down," {A} said slowly.',
        '"You went {P.to} today," [said {B name}|{B} said]. "What did you do before that?"',
      ],
    ],
    [
      [
        '{A+B} ran outside, and {S.where} lay {T the}.',
        'And there, {S.where}, {T was|were} {T the}.',
        '{A+B} looked {S.where}, and there {T was|were} {T the}, just as {A name} had left {T object}.',
      ],
      [
        '{A} laughed and [thanked|hugged] {B name}.',
        '"I put {T object} there myself," {A} said with a red face.',
        '"Thank you, {B name}," [said {A name}|{A} said].',
      ],
      [
        'From then on {T the} always lay in the same place.',
        'Since that day {A name} has been less {A.trait}.',
        'That night {T the} {T was|were} lying beside {A his} pillow.',
        '{A+B} played with {T object} until {W.after}.',
      ],
    ],
  ],
};
