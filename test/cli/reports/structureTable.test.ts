import { expect, it } from 'vitest';
import { finalTable } from '../../../src/cli/reports/structureTable.ts';
import { sampleResult } from '../../protocol/samples.ts';

const plain = { bold: (text: string) => text } as Parameters<typeof finalTable>[1];

it('says of each finalist how good it is, and why one could not be evaluated', () => {
  const error = {
    code: 'settings/invalid',
    operation: 'choosing what shortgpt removes at 3%',
    expected: 'a sparsity that comes to one component at least',
    actual: 'less than half of one',
    remedy: 'Choose a higher sparsity.',
  } as const;
  const finalists = [
    { kind: 'finalist', name: 'shortgpt', error },
    { kind: 'finalist', name: 'wanda-sp', result: sampleResult({ perplexity: 20 }) },
  ] as const;
  const lines = finalTable({ finalists, opening: undefined }, plain);
  expect(lines.slice(0, 3).map((line) => line.split(/\s+/).slice(0, 2))).toEqual([
    ['found', 'fitness'],
    ['wanda-sp', '20.00'],
    ['shortgpt', 'failed'],
  ]);
  expect(lines.slice(4)).toEqual([
    '',
    'shortgpt failed: choosing what shortgpt removes at 3%: expected a sparsity that comes to one component at least, got less than half of one. Choose a higher sparsity.',
    '',
  ]);
  expect(finalTable({ finalists: [], opening: undefined }, plain)).toEqual([]);
});
