import type { Plot } from '../plot.ts';

export const letter: Plot = {
  name: 'letter',
  cast: { A: 'child', B: 'adult', C: 'child', H: 'home', P: 'place', T: 'treasure', G: 'pet', D: 'day', W: 'weather' },
  titles: ['A letter', '{A name} writes a letter', 'A letter from {B name}'],
  paragraphs: [
    [
      ['{A intro} lived {H.in}, far away from {B intro}.', '{H.in} lived {A intro}, and far away lived {B intro}.'],
      ['On {D.day} {A name} sat down and wrote a letter.', '{W.one} {A name} took a pen and a sheet of paper.'],
      [
        '"Dear {B name}," it began, "yesterday I was {P.at}, where {P.sight}.',
        '"Dear {B name}," {A} wrote, "I was {P.at}, and {P.sight}.',
      ],
      ['With me was {G intro}.', 'We have {G intro} now.'],
      ['Yesterday {G name} {G.sound} all day and wanted {G.eats}.', 'For breakfast {G name} gets {G.eats}.', ''],
      [
        'Do you still have the {T bare} that I gave you?',
        'Next time please bring the {T bare}.',
        'I often think of your {T bare}.',
      ],
      [
        'When are you coming? Your {A name}."',
        'Write soon. Your {A name}."',
        'There is a bed for you in {H.the}. Your {A name}."',
      ],
    ],
    [
      ['{C intro} took the letter to the post.', '{A his} friend {C name} put a stamp on it and ran to the post.'],
      [
        'For three weeks no answer came.',
        'Then {A name} waited.',
        'Every morning {A name} looked into the letter box of {H.the}.',
      ],
      [
        '"{B name} has forgotten me," [said {A name}|{A} said].',
        '"There is so much to do at {B.work}," [said {C name}|{C} said].',
        '"Letters are slow," [said {C name}|{C} said].',
      ],
    ],
    [
      ['On a {D.next} the answer came.', 'At last there was a letter from {B name}.'],
      [
        '"Dear {A name}," wrote {B role}, "at {B.work} I have to {B.task} from morning to night.',
        '"Dear {A name}," {B name} wrote, "there was too much to do at {B.work}.',
      ],
      ['But on {D.after} I will come.', 'On {D.after} I will close {B.work} and come to you.'],
      [
        'I will bring the {T bare}, of course.',
        'The {T bare} {T stands|stand} in my window every day.',
        'The {T bare} {T comes|come} with me.',
      ],
      [
        'Greet {G name} from me, and keep some {G.eats} ready."',
        'For {G name} I have {G.eats}."',
        'I would like to see {G name}."',
      ],
      [
        '{A} read it [three times|twice|aloud], and {G role} {G.sound}.',
        '"{C name}!" called {A name}. "{B name} is coming!"',
        '',
      ],
      [
        'And on {D.after} {B role} stood in front of {H.the} with {B.makes} under one arm.',
        'When {B role} came on {D.after}, {B} had brought {B.makes} and {T the}.',
        'On {D.after} all of them sat in {H.the}: {A name}, {C name}, {B name} and {G name}.',
      ],
    ],
  ],
};
