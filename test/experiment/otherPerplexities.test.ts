import { describe, expect, it } from 'vitest';
import { countWords, otherPerplexities } from '../../src/experiment/otherPerplexities.ts';
import type { Provenance } from '../../src/experiment/resultSchema.ts';

const provenance = (textTokens: number, textWords?: number, textBytes?: number): { provenance: Provenance } => ({
  provenance: {
    ...{ model: 'm', modelHash: 'a'.repeat(64), architecture: 'A', parameters: 1, text: 't', textHash: 'b'.repeat(64) },
    ...{ textTokens, blocks: 1, length: 2, device: 'cpu', deviceName: 'CPU', precision: 'float32', versions: {} },
    ...(textWords !== undefined && { textWords }),
    ...(textBytes !== undefined && { textBytes }),
  },
});

describe('perplexity by word and byte', () => {
  it('is what lm-evaluation-harness calls so: exp(−Σ loglikelihood / Σ words), exp(−Σ loglikelihood / Σ bytes)', () => {
    const logLikelihoods = [-3.25, -0.5, -7.125, -2];
    const [words, bytes] = [3, 17];
    const sum = logLikelihoods.reduce((a, b) => a + b);
    const byToken = Math.exp(-sum / logLikelihoods.length);
    const found = otherPerplexities(provenance(logLikelihoods.length, words, bytes), byToken)!;
    expect(found.word).toBeCloseTo(Math.exp(-sum / words), 10);
    expect(found.byte).toBeCloseTo(Math.exp(-sum / bytes), 10);
  });

  it('of results that kept no counts there are none', () => {
    expect(otherPerplexities(provenance(4), 10)).toBeUndefined();
  });

  // len(re.split(r"\s+", text)), as in wikitext's process_results.
  it.each([
    ['', 1],
    ['one', 1],
    ['one two', 2],
    [' one  two\n\nthree ', 5],
    ['\n', 2],
    ['größe\u00a0und\u2003mehr', 3],
    [' = Robert Boulter = \n', 6],
  ])('words of %j are %i', (text, words) => {
    expect(countWords(text)).toBe(words);
  });
});
