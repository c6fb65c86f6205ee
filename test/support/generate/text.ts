import { Rng } from '../../../src/base/rng.ts';

/** Words of the generated language: most are one token, those with accents and signs are spelt byte by byte. */
export const WORDS = [
  ...[
    'ba',
    'tela',
    'nor',
    'mi',
    'quist',
    'ondra',
    'the',
    'vel',
    'harn',
    'ipso',
    'lund',
    'gare',
    'su',
    'fen',
    'ora',
    'dit',
  ],
  ...['kem', 'ral', 'sto', 'win'],
] as const;

const RARE = ['naïve', 'Größe', '東京', '🌲', '42', "it's", 'x=1;'] as const;

/** A seeded text of `words` words in sentences and paragraphs, with punctuation, digits and characters outside ASCII. */
export function generateText(seed: number, words: number): string {
  const rng = new Rng(seed);
  let text = '';
  for (let i = 0; i < words; i++) {
    const word = rng.uniform() < 0.08 ? RARE[rng.integer(RARE.length)]! : WORDS[rng.integer(WORDS.length)]!;
    const end = rng.uniform();
    text += word + (end < 0.02 ? '.\n\n' : end < 0.1 ? '. ' : end < 0.18 ? ', ' : ' ');
  }
  return text;
}
