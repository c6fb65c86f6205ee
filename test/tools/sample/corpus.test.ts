import { describe, expect, it } from 'vitest';
import { writeCorpus } from '../../../tools/sample/corpus.ts';
import { unigramPerplexity } from '../../../tools/sample/unigram.ts';

const SIZES = { train: 300_000, calibration: 40_000, test: 40_000 };
const corpus = writeCorpus(1, SIZES);
const storiesOf = (text: string): string[] => text.split('\n\n').filter((story) => story !== '');

describe('a corpus', () => {
  it('has texts of the sizes that were asked for, of whole stories', () => {
    for (const name of ['train', 'calibration', 'test'] as const) {
      expect(corpus[name].length).toBeGreaterThanOrEqual(SIZES[name]);
      expect(corpus[name].length).toBeLessThan(SIZES[name] + 3000);
      expect(corpus[name].endsWith('\n\n')).toBe(true);
    }
  });

  it('tells no story twice', () => {
    const stories = [corpus.train, corpus.calibration, corpus.test].flatMap(storiesOf);
    expect(new Set(stories).size).toBe(stories.length);
    expect(stories.length).toBe(corpus.stories);
  });

  it('is the same for a seed, and keeps what is evaluated when there is more to train on', () => {
    expect(writeCorpus(1, SIZES)).toEqual(corpus);
    const longer = writeCorpus(1, { ...SIZES, train: 350_000 });
    expect(longer.train.startsWith(corpus.train)).toBe(true);
    expect([longer.test, longer.calibration]).toEqual([corpus.test, corpus.calibration]);
    expect(writeCorpus(2, SIZES).test).not.toBe(corpus.test);
  });
});

describe('unigram perplexity', () => {
  it.each([
    ['tokens that are all as frequent: their number', [0, 1, 2, 3], [0, 1, 2, 3], 4, 4],
    ['what was never seen counts once', [2], [0, 0, 0, 1], 3, 7],
    // Twice (3 + 1) / 6, once (1 + 1) / 6.
    ['the mean over the text', [0, 0, 1], [0, 0, 0, 1], 2, (27 / 4) ** (1 / 3)],
  ])('%s', (_, text, train, vocabulary, expected) => {
    const found = unigramPerplexity(Int32Array.from(text), Int32Array.from(train), vocabulary);
    expect(found).toBeCloseTo(expected, 10);
  });
});
