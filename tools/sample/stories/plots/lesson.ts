import type { Plot } from '../plot.ts';

export const lesson: Plot = {
  name: 'lesson',
  cast: { A: 'child', B: 'adult', C: 'child', L: 'skill', P: 'place', D: 'day', H: 'home' },
  titles: ['{A name} learns to {L.learn}', 'How {A name} learned to {L.learn}', 'The lesson'],
  paragraphs: [
    [
      ['{A intro} wanted to learn to {L.learn}.', 'More than anything {A intro} wanted to {L.learn}.'],
      [
        '"You will never {L.learn}," [said {C name}|{C} said], {A his} cousin.',
        '{C intro} laughed about it.',
        '"You? {L.learn}?" {C intro} asked.',
      ],
      [
        'But {A name} knew {B intro}, who was good at {L.doing}.',
        'Nobody in the village was as good at {L.doing} as {B intro}.',
      ],
      [
        'On {D.day} {A name} went to {B.work} and asked for a lesson.',
        'So on {D.day} {A name} knocked at the door of {B.work}.',
      ],
      [
        '"Come every day," [said {B name}|{B} said], "and bring patience."',
        '"First you must help me to {B.task}," [said {B name}|{B} said].',
        '"It takes longer than you think," [said {B name}|{B} said].',
      ],
    ],
    [
      ['On the first day {L.fails}.', 'At first {L.fails}.'],
      [
        '{A} wanted to give up.',
        '"I am too {A.trait} for this," [said {A name}|{A} said].',
        '{A} threw [the cap|everything] into a corner.',
      ],
      [
        '"Everyone begins like that," said {B role}.',
        '"When I began, {L.fails}," {B role} said.',
        '{B role} only smiled and said: "Again."',
      ],
      [
        'On {D.next} {A name} came back, and on {D.after} too.',
        'Day after day {A name} went to {B.work}.',
        'All winter {A+B} practised {L.doing} behind {B.work}.',
      ],
      [
        'In return {A} helped to {B.task}.',
        '{A his} hands hurt, but it went better every day.',
        'At home {A} spoke of nothing but {L.doing}.',
        '',
      ],
    ],
    [
      [
        'In summer there was a festival {P.at}.',
        'On the last day of the year everybody met {P.at}.',
        'Then came the great day {P.at}.',
      ],
      [
        '{C} was there too, in the first row.',
        '"Now we will see," [said {C name}|{C} said].',
        '{C} had come to laugh.',
      ],
      [
        '{A} took a deep breath and {L.succeeds}.',
        '{A} looked at {B role}, {B role} nodded, and {A name} {L.succeeds}.',
        'And {A name} {L.succeeds}.',
      ],
      [
        'The people clapped, and {C name} clapped the loudest.',
        'Nobody laughed, not even {C name}.',
        '"I would never have thought it," [said {C name}|{C} said].',
      ],
      [
        '"Can you teach me to {L.learn}?" {C name} asked.',
        '{B role} put down the {B.tool} and wiped away a tear.',
        '"You are not {A.trait} any more," said {B role}.',
      ],
      [
        '"Come every day," [said {A name}|{A} said], "and bring patience."',
        'So the {A.trait} {A.noun} had become {A.grown}.',
        'Today {A name} gives lessons in {L.doing} {A himself}.',
      ],
    ],
  ],
};
