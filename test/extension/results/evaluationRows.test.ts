import { describe, expect, it, vi } from 'vitest';
import { evaluationRows } from '../../../src/extension/results/evaluationRows.ts';
import type { RowContext } from '../../../src/extension/results/evaluationRows.ts';
import { createRecord, recordKey } from '../../../src/runs/evaluationRecord.ts';
import type { EvaluationRecord } from '../../../src/runs/evaluationRecord.ts';
import type { PerplexityResult } from '../../../src/experiment/resultSchema.ts';
import { resultUnderProtocol, samplePlan, sampleResult } from '../../protocol/samples.ts';

vi.mock('vscode', () => ({}));
const { placeOf } = await import('../../../src/extension/results/showDeclaration.ts');

let seconds = 0;
function record(changes: Partial<PerplexityResult> = {}): EvaluationRecord {
  return createRecord(samplePlan(), sampleResult(changes), {
    ...{ root: '/', document: '/m.prune' },
    savedAt: new Date(1e12 + 1000 * seconds++),
  });
}

const early = record({ metric: 'wanda', perplexity: 146 });
const wanda = record({ metric: 'wanda', perplexity: 145.7123 });
const mine = record({ metric: 'mine', expression: 'W * X', perplexity: 144 });
const pattern = record({ metric: 'wanda', perplexity: 171.2, sparsity: { kind: 'n:m', keep: 2, of: 4 } });
const all = [early, wanda, mine, pattern];

const rowsOf = (context: Partial<RowContext> = {}): string[] =>
  evaluationRows(all, { freshness: () => 'same', asked: undefined, ...context }).map(
    ({ record: { result }, standing, description }) => `${result.metric} ${standing}: ${description}`,
  );

describe('the view of evaluations', () => {
  it('lists what was evaluated, the best of each sparsity first, older evaluations of the same last', () => {
    expect(rowsOf()).toEqual([
      'wanda current: 171.2 · +19 % · 2:4',
      'mine current: 144.0 · +0.5 % · 50 %',
      'wanda current: 145.7 · +1.7 % · 50 %',
      'wanda superseded: 146.0 · +1.9 % · 50 % · evaluated again since',
    ]);
  });

  it('says under which protocol, and in what it differs', () => {
    const own = { ...wanda, result: resultUnderProtocol() };
    const [row] = evaluationRows([own], { freshness: () => 'same', asked: undefined });
    expect(row?.description).toBe('145.7 · +1.7 % · 50 % · pruner-zero, but length 256');
  });

  it.each<[string, Partial<RowContext>, string]>([
    ['inputs that have changed', { freshness: () => 'changed' }, 'wanda stale: 145.7 · +1.7 % · 50 % · stale'],
    [
      'inputs that nobody has looked at',
      { freshness: () => 'unknown' },
      'wanda unchecked: 145.7 · +1.7 % · 50 % · not checked',
    ],
    [
      'a file that asks for something else',
      { asked: new Set([recordKey(mine)]) },
      'wanda stale: 145.7 · +1.7 % · 50 % · stale',
    ],
    ['a file that asks for it', { asked: new Set([recordKey(wanda)]) }, 'wanda current: 145.7 · +1.7 % · 50 %'],
  ])('says what became of a result: %s', (_, context, row) => {
    expect(rowsOf(context)).toContain(row);
  });

  it.each<[string, string, string, number | undefined]>([
    ['a metric', 'metric a = W\nmetric wanda = W * X\n', 'wanda', 20],
    ['an experiment', '  experiment halves {', 'halves', 13],
    ['no mention of it', 'metric a = wanda\n// metric wanda = W\n', 'wanda', undefined],
    ['a name that begins like it', 'metric wanda2 = W', 'wanda', undefined],
    ['a name that would be a pattern', 'metric wanda = W', '.*', undefined],
  ])('goes to %s', (_, text, name, place) => {
    expect(placeOf(text, name)).toBe(place);
  });
});
