import { describe, expect, it } from 'vitest';
import {
  experimentLine,
  provenanceHover,
  resultLine,
  resultsLine,
} from '../../../src/extension/evaluate/resultText.ts';
import { comparisonAsCsv } from '../../../src/extension/results/comparisonCsv.ts';
import { comparisonTable } from '../../../src/extension/results/comparisonTable.ts';
import { evaluationRows } from '../../../src/extension/results/evaluationRows.ts';
import { shortExperiment, shortResults } from '../../../src/extension/results/shortText.ts';
import { byPerplexity } from '../../../src/tasks/byPerplexity.ts';
import type { EvaluationPlan } from '../../../src/experiment/planSchema.ts';
import type { EvaluationResult } from '../../../src/experiment/resultSchema.ts';
import type { PlannedTasks, TaskResult } from '../../../src/experiment/taskSchema.ts';
import { createRecord, parseRecord, plannedKey, recordKey } from '../../../src/runs/evaluationRecord.ts';
import type { EvaluationRecord } from '../../../src/runs/evaluationRecord.ts';
import { samplePlan, sampleResult } from '../../protocol/samples.ts';
import { denseTask, sampleTask, sevenTasks } from '../../support/sampleTasks.ts';
import { without } from '../../support/without.ts';

const asked = (tasks: readonly TaskResult[], changes: Partial<EvaluationResult> = {}): EvaluationResult => ({
  ...sampleResult(),
  tasks,
  ...changes,
});
/** Of a plan without a text. */
const alone = (tasks: readonly TaskResult[], changes: Partial<EvaluationResult> = {}): EvaluationResult => {
  const result = without(asked(tasks, changes), 'perplexity', 'densePerplexity');
  return { ...result, provenance: without(result.provenance, 'text', 'textHash', 'textTokens') };
};
const dense = (of: typeof asked): EvaluationResult =>
  without(of([denseTask()], { metric: 'dense', expression: 'dense' }), 'sparsity');
const better = sampleTask({ means: { acc: { value: 0.7, error: 0.01 } } });

const TASKS: PlannedTasks = {
  list: [{ task: 'piqa', documents: '/data/piqa.jsonl', shots: 0, limit: 0 }],
  ...{ harness: '0.4', beginning: 'tokenizer' },
};
let seconds = 0;
const recordOf = (result: EvaluationResult, plan: EvaluationPlan = samplePlan({ tasks: TASKS })): EvaluationRecord =>
  createRecord(result.perplexity === undefined ? without(plan, 'text') : plan, result, {
    ...{ root: '/', document: '/m.prune', savedAt: new Date(1e12 + 1000 * seconds++) },
  });

describe('beside a line', () => {
  it.each<[string, string, string]>([
    [
      'one task',
      resultLine(asked([sampleTask()])),
      'ppl 145.7  (dense 143.3, +1.7 %) · acc 61.2 ± 1.1, −2.4† of dense (PIQA) · 50 % · 2.1 s · cpu',
    ],
    [
      'seven',
      resultLine(asked(sevenTasks())),
      'ppl 145.7  (dense 143.3, +1.7 %) · acc 53.0 ± 0.4, −2.0 of dense (mean of 7) · 50 % · 2.1 s · cpu',
    ],
    ['without a text', resultLine(alone([sampleTask()])), 'acc 61.2 ± 1.1, −2.4† of dense (PIQA) · 50 % · 2.1 s · cpu'],
    ['the dense model', resultLine(dense(alone)), 'acc 63.6 ± 1.1 (PIQA) · dense · 2.1 s · cpu'],
    [
      'the dense model beside a text',
      resultLine(dense(asked)),
      'ppl 145.7  (dense) · acc 63.6 ± 1.1 (PIQA) · 2.1 s · cpu',
    ],
    [
      'two sparsities',
      resultsLine([alone([sampleTask()]), alone([better], { sparsity: { kind: 'n:m', keep: 2, of: 4 } })]),
      'acc 61.2 (−2.4) at 50 %, acc 70.0 (+6.4) at 2:4 · dense acc 63.6 · 4.3 s · cpu',
    ],
    [
      'two with a text',
      resultsLine([asked([sampleTask()]), asked([better], { sparsity: { kind: 'n:m', keep: 2, of: 4 } })]),
      'ppl 145.7 (+1.7 %) acc 61.2 (−2.4) at 50 %, 145.7 (+1.7 %) acc 70.0 (+6.4) at 2:4 · dense 143.3, acc 63.6 · 4.3 s · cpu',
    ],
    [
      'an experiment, the higher accuracy first',
      experimentLine([alone([sampleTask()]), alone([better], { metric: 'mine' })]),
      '50 %: mine acc 70.0 (+6.4), wanda acc 61.2 (−2.4) · dense acc 63.6 · cpu',
    ],
    ['where there is little room', shortResults([asked([sampleTask()])]), '145.7 · +1.7 % · acc 61.2 (−2.4)'],
    ['there without a text', shortResults([alone([sampleTask()])]), 'acc 61.2 (−2.4)'],
    [
      'there of an experiment',
      shortExperiment([alone([sampleTask()]), alone([better], { metric: 'mine' })]),
      'mine acc 70.0 (+6.4), 1 more',
    ],
    ['there of the dense model', shortResults([dense(alone)]), 'acc 63.6 · dense'],
  ])('%s', (_, text, expected) => {
    expect(text).toBe(expected);
  });

  it('what has no perplexity comes after what has one, and is ordered by accuracy', () => {
    const results = [alone([sampleTask()]), alone([better]), asked([sampleTask()])];
    expect([...results].sort(byPerplexity)).toEqual([results[2], results[1], results[0]]);
  });
});

describe('in a hover', () => {
  it('one result has a row a task, its change and its documents', () => {
    const text = provenanceHover([recordOf(alone([sampleTask({ truncated: 2 })]))]);
    expect(text).toContain('| PIQA | acc **61.2 ± 1.1** (dense 63.6 ± 1.1, −2.4†) · acc\\_norm **62.1 ± 1.1** (dense');
    expect(text).toContain('McNemar');
    expect(text).toContain('2 of 3676 requests cut from the left');
    expect(text).not.toMatch(/undefined|NaN|\| perplexity|\| text/);
  });

  it('several have the tasks side by side', () => {
    const text = provenanceHover([recordOf(alone(sevenTasks())), recordOf(alone(sevenTasks(), { metric: 'mine' }))]);
    expect(text).toMatch(/\| metric.* \| sparsity.* \| BoolQ acc.* \|/);
    expect(text).toMatch(/mean acc.* \|/);
    expect(text).toMatch(/\| mine.* \| 50 %.* \|/);
    expect(text).not.toMatch(/undefined|NaN|perplexity/);
  });
});

describe('in the comparison', () => {
  it('tasks are columns, marked where chance does not explain them', () => {
    const text = comparisonTable([recordOf(asked([sampleTask()]))], 'perplexity');
    const [head, , row] = text.split('\n');
    expect(head!.split('|').map((cell) => cell.trim())).toEqual([
      ...[
        '',
        'metric',
        'perplexity',
        'to dense',
        'to the best',
        'PIQA acc',
        'PIQA acc\\_norm',
        'sparsity',
        'formula',
        '',
      ],
    ]);
    expect(row).toContain('61.2 ± 1.1, −2.4†');
    expect(text).toContain('McNemar');
    expect(text).toContain('Lower perplexities and higher accuracies are better.');
    expect(text).toContain('- PIQA: `data/piqa.jsonl`');
  });

  it('without perplexities has none of their columns, and the best first', () => {
    const records = [recordOf(alone([sampleTask()])), recordOf(alone([better], { metric: 'mine' }))];
    const text = comparisonTable(records, 'perplexity');
    expect(text.match(/^\| `\w+/gm)).toEqual(['| `mine', '| `wanda']);
    expect(text).not.toMatch(/perplexity|undefined|NaN/);
    expect(text).toContain('Higher is better.');
  });

  it('is told as CSV with all digits', () => {
    const lines = comparisonAsCsv([recordOf(asked([sampleTask()])), recordOf(asked([], { metric: 'a,b' }))]).split(
      '\r\n',
    );
    expect(lines[0]).toBe(
      'metric,sparsity,formula,perplexity,dense perplexity,PIQA acc,PIQA acc error,PIQA acc dense,PIQA acc p,PIQA acc_norm,PIQA acc_norm error,PIQA acc_norm dense,PIQA acc_norm p',
    );
    expect(lines[1]).toBe('wanda,50 %,W * sqrt(X),145.7123,143.3045,0.612,0.0114,0.636,0.002,0.6205,0.0113,0.62,1');
    expect(lines[2]).toBe('"a,b",50 %,W * sqrt(X),145.7123,143.3045,,,,,,,,');
  });
});

describe('what is kept', () => {
  it('is read again, and is the answer to the plan that asked for it', () => {
    const plan = samplePlan({ tasks: TASKS });
    const record = recordOf(asked([sampleTask()]), plan);
    const read = parseRecord(JSON.stringify(record));
    expect(read).toEqual(record);
    // It means the same in another clone.
    expect(record.result.tasks?.[0]?.documentsFile).toBe('data/piqa.jsonl');
    expect(recordKey(read!)).toBe(plannedKey(plan, plan.evaluations[0], '/'));
    const others: PlannedTasks[] = [
      { ...TASKS, harness: '0.3' },
      { ...TASKS, list: [{ ...TASKS.list[0]!, shots: 1 }] },
      { ...TASKS, list: [{ ...TASKS.list[0]!, documents: '/data/other.jsonl' }] },
    ];
    for (const tasks of others)
      expect(recordKey(read!)).not.toBe(plannedKey({ ...plan, tasks }, plan.evaluations[0], '/'));
    expect(recordKey(read!)).not.toBe(plannedKey(samplePlan(), plan.evaluations[0], '/'));
  });

  it('without a text is a row of the view, with its accuracy', () => {
    const context = { freshness: () => 'same' as const, asked: undefined };
    const [row, second] = evaluationRows([recordOf(alone([sampleTask()])), recordOf(dense(alone))], context);
    expect(row?.description).toBe('acc 61.2 (−2.4) · 50 %');
    expect(second?.description).toBe('dense · acc 63.6');
  });
});
