import { describe, expect, it } from 'vitest';
import {
  formatChange,
  formatCount,
  formatPerplexity,
  perplexityDigits,
  formatSeconds,
  formatShare,
  shortFingerprint,
} from '../../src/experiment/format.ts';

describe('perplexities that stand together have as many digits as it takes to tell them apart', () => {
  it.each<[string, number[], string]>([
    ['different ones', [2.41, 2.45], '2.410 2.450'],
    ['what looked like a tie', [2.4461, 2.4463, 2.9], '2.4461 2.4463 2.9000'],
    ['ties with each other', [145.7123, 145.7123], '145.7 145.7'],
    ['differences beyond what is told', [145.7123001, 145.7123002], '145.7 145.7'],
    ['nothing to compare', [], ''],
    ['what is not finite', [145.7, Infinity, Number.NaN], '145.7 Infinity NaN'],
  ])('%s', (_, values, texts) => {
    const digits = perplexityDigits(values);
    expect(values.map((value) => formatPerplexity(value, digits)).join(' ')).toBe(texts);
  });

  it('only the lowest decide: nobody chooses between bad ones', () => {
    expect(perplexityDigits([2.1, 2.2, 900.11, 900.12], 2)).toBe(4);
  });
});

describe('formatPerplexity', () => {
  it.each([
    [1, '1.000'],
    [27.8612, '27.86'],
    [143.26, '143.3'],
    [999.96, '1000'],
    [12_345.6, '12350'],
    [1.25e9, '1.250e+9'],
    [Infinity, 'Infinity'],
    [NaN, 'NaN'],
  ])('%d → %s', (value, text) => {
    expect(formatPerplexity(value)).toBe(text);
  });
});

describe('formatChange', () => {
  it.each([
    [145.7, 143.3, '+1.7 %'],
    [143.3, 143.3, '±0.0 %'],
    [100, 103, '−2.9 %'],
    [300, 100, '+200 %'],
    [Infinity, 100, 'Infinity'],
  ])('%d against %d → %s', (pruned, dense, text) => {
    expect(formatChange(pruned, dense)).toBe(text);
  });
});

describe('formatShare, formatSeconds, formatCount, shortFingerprint', () => {
  it.each([
    [formatShare(0.5), '50 %'],
    [formatShare(0.49878), '49.9 %'],
    [formatSeconds(0), '0.0 s'],
    [formatSeconds(1.84), '1.8 s'],
    [formatSeconds(99.96), '2 min'],
    [formatSeconds(240), '4 min'],
    [formatSeconds(9000), '2.5 h'],
    [formatCount(987), '987'],
    [formatCount(6_451_456), '6.45M'],
    [formatCount(7_100_000_000), '7.1B'],
    [shortFingerprint('0123456789abcdef'.repeat(4)), '0123456789ab'],
  ])('%s', (actual, expected) => {
    expect(actual).toBe(expected);
  });
});
