import { describe, expect, it } from 'vitest';
import {
  formatChange,
  formatCount,
  formatPerplexity,
  formatSeconds,
  formatShare,
  shortFingerprint,
} from '../../src/experiment/format.ts';

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
