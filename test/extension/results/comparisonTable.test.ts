import { describe, expect, it } from 'vitest';
import type { PerplexityResult } from '../../../src/experiment/resultSchema.ts';
import { compared, comparisonTable } from '../../../src/extension/results/comparisonTable.ts';
import { createRecord } from '../../../src/runs/evaluationRecord.ts';
import type { EvaluationRecord } from '../../../src/runs/evaluationRecord.ts';
import { resultUnderProtocol, samplePlan, sampleResult } from '../../protocol/samples.ts';

let seconds = 0;
function record(changes: Partial<PerplexityResult> = {}): EvaluationRecord {
  return createRecord(samplePlan(), sampleResult(changes), {
    ...{ root: '/', document: '/m.prune' },
    savedAt: new Date(1e12 + 1000 * seconds++),
  });
}

const before = record({ perplexity: 999 });
const wanda = record({ perplexity: 145.7123 });
const mine = record({ metric: 'mine', expression: 'W * X', perplexity: 145.7011 });
const pattern = record({ perplexity: 171.2, sparsity: { kind: 'n:m', keep: 2, of: 4 } });
const again = record({ metric: 'mine', expression: 'W * X', perplexity: 145.69 });
const other = record({ metric: 'other' });

describe('a comparison that stays', () => {
  it('is of the newest results since it was asked for, of the metrics that were chosen', () => {
    const all = [before, wanda, mine, pattern, again, other];
    expect(compared(all, ['wanda', 'mine'], wanda.savedAt)).toEqual([wanda, again, pattern]);
    expect(compared(all, ['wanda'], new Date(2e12).toISOString())).toEqual([]);
  });

  it('reads as it is: columns in line, the best of each sparsity first, ties told apart', () => {
    expect(comparisonTable([wanda, pattern, mine], 'perplexity').split('\n').slice(0, 5)).toEqual([
      '| metric  | perplexity | to dense | to the best | sparsity | formula       |',
      '| ------- | ---------: | -------: | ----------: | -------- | ------------- |',
      '| `mine`  |     145.70 |   +1.7 % |        best | 50 %     | `W * X`       |',
      '| `wanda` |     145.71 |   +1.7 % |   +0.0077 % | 50 %     | `W * sqrt(X)` |',
      '| `wanda` |      171.2 |    +19 % |        best | 2:4      | `W * sqrt(X)` |',
    ]);
  });

  it('sorts by name as well, and says what it was evaluated on', () => {
    const text = comparisonTable([wanda, mine, other], 'metric');
    expect(text.match(/^\| `\w+/gm)).toEqual(['| `mine', '| `other', '| `wanda']);
    expect(text).toContain('- text: `data/test.txt`');
    expect(text).toContain('dense 143.3');
  });

  it('says how long samples were, also where the file leaves that to the model', () => {
    const { provenance } = sampleResult();
    const plan = samplePlan();
    const left = (changes: Partial<typeof provenance>) =>
      createRecord(
        { ...plan, settings: { ...plan.settings, length: 0 } },
        sampleResult({ provenance: { ...provenance, ...changes } }),
        { root: '/', document: '/m.prune', savedAt: new Date(1e12) },
      );
    expect(comparisonTable([left({})], 'perplexity')).toContain('16 samples of 256 tokens\n');
    expect(comparisonTable([left({ calibrationLength: 128 })], 'perplexity')).toContain('16 samples of 128 tokens\n');
  });

  it('says protocols with their deviations, rows and samples for gradients', () => {
    const own = { ...wanda, result: resultUnderProtocol() };
    const text = comparisonTable([own, mine], 'perplexity');
    expect(text).toContain('- protocol: pruner-zero, but length 256; none\n');
    expect(text).toContain('- text: `data/test.txt` (rows wikitext), `data/test.txt`\n');
    expect(text).toContain('; gradients on /data/train.txt \\(1 sample of 2048 tokens');
    expect(comparisonTable([wanda, mine], 'perplexity')).not.toContain('protocol');
  });

  it('cannot be broken out of by what a file says', () => {
    const hostile = record({ metric: 'a` | ![x](http://a.b/c)\n# h', expression: 'W` | <img src=x>\u202E' });
    const lines = comparisonTable([hostile], 'perplexity').split('\n');
    expect(lines[2]!.split('|')).toHaveLength(8);
    expect(lines[2]).toMatch(/^\| `a +!/);
    expect(lines.some((line) => line.startsWith('#'))).toBe(false);
    expect(lines[2]!.match(/`/g)).toHaveLength(4);
  });
});
