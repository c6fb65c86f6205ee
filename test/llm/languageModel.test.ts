import { describe, expect, it } from 'vitest';
import { Rng } from '../../src/base/rng.ts';
import { estimateTokens } from '../../src/llm/languageModel.ts';

describe('the tokens of a text', () => {
  it.each<readonly [text: string, tokens: number]>([
    ['', 0],
    ['word', 1],
    ['two words', 3],
    ['0.30000', 7],
    ['[0.1, 0.2]', 10],
    ['日本', 2],
    ['a\u00a0b\u2028c', 2],
    ['@[`{', 4],
  ])('%j are estimated as %i', (text, tokens) => {
    expect(estimateTokens(text)).toBe(tokens);
  });

  it('are one for each that is no letter or blank, and one for four of those', () => {
    const rng = new Rng(1);
    for (let i = 0; i < 300; i++) {
      const text = String.fromCharCode(...Array.from({ length: 50 }, () => rng.integer(i % 2 === 0 ? 0x80 : 0x3100)));
      const others = text.replaceAll(/[A-Za-z\s]/g, '').length;
      expect(estimateTokens(text)).toBe(others + Math.ceil((50 - others) / 4));
    }
  });

  it('of a reply without end are counted too', () => {
    expect(estimateTokens('x'.repeat(64 << 20))).toBe(16 << 20);
  });
});
