import { expect, it } from 'vitest';
import { finalTable, foundStructure } from '../../../src/cli/reports/structureTable.ts';
import { sampleResult, sampleStructureOpening } from '../../protocol/samples.ts';
import { sampleTask } from '../../support/sampleTasks.ts';

const plain = { bold: (text: string) => text } as Parameters<typeof finalTable>[2];
const unmeasured = (): undefined => undefined;

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
  const lines = finalTable({ finalists, opening: undefined }, unmeasured, plain);
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
  expect(finalTable({ finalists: [], opening: undefined }, unmeasured, plain)).toEqual([]);
});

it('says what was asked of them below, the best first, and as objects', () => {
  const tasks = [sampleTask(), sampleTask({ task: 'rte', paired: {} })];
  const better = { kind: 'finalist', name: 'found', result: sampleResult({ perplexity: 19 }) } as const;
  const finalists = [
    { kind: 'finalist', name: 'uniform', result: sampleResult({ perplexity: 20 }), test: sampleResult({ tasks }) },
    { ...better, test: sampleResult({ tasks }) },
  ] as const;
  const lines = finalTable({ finalists, opening: undefined }, unmeasured, plain);
  const at = lines.indexOf('acc, %         PIQA         RTE   mean of 2');
  expect(lines.slice(at + 1, at + 5)).toEqual([
    'dense    63.6 ± 1.1  63.6 ± 1.1  63.6 ± 0.8',
    'found    61.2 ± 1.1  61.2 ± 1.1  61.2 ± 0.8',
    '              −2.4†        −2.4        −2.4',
    'uniform  61.2 ± 1.1  61.2 ± 1.1  61.2 ± 0.8',
  ]);
  expect(foundStructure(finalists[1])).toMatchObject({
    tasks: [
      { task: 'piqa', acc: 0.612, denseAcc: 0.636, lost: 120, won: 76, p: 0.002 },
      { task: 'rte', acc: 0.612 },
    ],
  });
  expect(foundStructure(better)).not.toHaveProperty('tasks');
});

it('says what a search has chosen by, and is in that order', () => {
  const opening = sampleStructureOpening({ objective: 'tasks', denseTaskLoss: 0.5, denseAccuracy: 0.75 });
  const finalists = [
    { kind: 'finalist', name: 'uniform', result: sampleResult({ perplexity: 19 }) },
    { kind: 'finalist', name: 'configuration 3', id: 3, result: sampleResult({ perplexity: 20 }) },
  ] as const;
  const losses: Readonly<Record<string, number>> = { uniform: 0.7, 'configuration 3': 0.625 };
  const lines = finalTable({ finalists, opening }, ({ name }) => ({ taskLoss: losses[name]! }), plain);
  expect(lines.slice(0, 4).map((line) => line.split(/ {2,}/).slice(0, 3))).toEqual([
    ['found', 'task loss', 'perplexity'],
    ['configuration 3', '0.625', '20.00'],
    ['uniform', '0.7', '19.00'],
    ['dense', '0.5', '143.3'],
  ]);
});
