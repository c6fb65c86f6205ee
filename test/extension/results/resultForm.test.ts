import { describe, expect, it } from 'vitest';
import type { EvaluationResult } from '../../../src/experiment/resultSchema.ts';
import { textFor } from '../../../src/extension/results/resultForm.ts';
import type { ResultForm } from '../../../src/extension/results/resultForm.ts';
import { shortExperiment, shortResults } from '../../../src/extension/results/shortText.ts';
import { sampleResult } from '../../protocol/samples.ts';

const TWO_OF_FOUR = { kind: 'n:m', keep: 2, of: 4 } as const;

describe('where there is little room a result is short', () => {
  const text = 'ppl 2.497  (dense 2.178, +15 %) · 50 % · 2.1 s · cpu';
  const short = '2.497 · +15 %';
  it.each<[string, ResultForm, number, number, string]>([
    ['one editor, a short line', 'auto', 30, 1, text],
    ['one editor, a long line', 'auto', 60, 1, short],
    ['two editors side by side', 'auto', 30, 2, short],
    ['two editors, chosen otherwise', 'full', 30, 2, text],
    ['one editor, chosen otherwise', 'short', 0, 1, short],
    ['no editor is counted yet', 'auto', 0, 0, text],
  ])('%s', (_, form, length, editors, shown) => {
    expect(textFor(form, { text, short }, length, editors)).toBe(shown);
  });
});

describe('the short form', () => {
  const dense: Partial<EvaluationResult> = sampleResult({ metric: 'dense', perplexity: 143.3 });
  Reflect.deleteProperty(dense, 'sparsity');
  const wanda = sampleResult();
  const pattern = sampleResult({ sparsity: TWO_OF_FOUR, perplexity: 171.2 });
  const near = sampleResult({ metric: 'near', perplexity: 145.7011 });

  const under = (...deviations: string[]): EvaluationResult => ({
    ...wanda,
    provenance: { ...wanda.provenance, protocol: 'wanda', deviations },
  });

  it.each<[string, readonly EvaluationResult[], string]>([
    ['nothing', [], ''],
    ['one result', [wanda], '145.7 · +1.7 %'],
    ['several sparsities', [wanda, pattern], '145.7 · +1.7 %, 1 more'],
    ['under a protocol', [under()], '145.7 · +1.7 % · wanda'],
    ['under most of one', [under('length 1024')], '145.7 · +1.7 % · wanda, but length 1024'],
    ['under little of one', [under('seed 1', 'length 9', 'samples 2')], '145.7 · +1.7 % · wanda, but seed 1, 2 more'],
    ['nothing pruned', [dense as EvaluationResult], '143.3 · dense'],
  ])('of a metric: %s', (_, results, words) => {
    expect(shortResults(results)).toBe(words);
  });

  it('of an experiment is its best, with the digits that tell it from the next', () => {
    expect(shortExperiment([wanda, near, pattern])).toBe('near 145.70 · +1.7 %, 2 more');
    expect(shortExperiment([])).toBe('');
    expect(shortExperiment([under('seed 1'), under('seed 1')])).toBe(
      'wanda 145.7 · +1.7 %, 1 more · wanda, but seed 1',
    );
  });
});
