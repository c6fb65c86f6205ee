import { describe, expect, it } from 'vitest';
import { humanReport, jsonReport } from '../../../src/cli/reports/evaluationReport.ts';
import { documentsOfTasks } from '../../../src/cli/reports/taskJson.ts';
import { taskLines } from '../../../src/cli/reports/taskTable.ts';
import { createTerminal } from '../../../src/cli/terminal.ts';
import type { EvaluationResult } from '../../../src/experiment/resultSchema.ts';
import type { TaskDocument } from '../../../src/experiment/taskSchema.ts';
import { samplePlan, sampleResult } from '../../protocol/samples.ts';
import { denseTask, sampleTask, sevenTasks } from '../../support/sampleTasks.ts';
import { without } from '../../support/without.ts';

const GSM8K = sampleTask({
  task: 'gsm8k',
  shots: 5,
  documents: 1,
  means: { strict_match: { value: 1, error: null }, flexible_extract: { value: 0, error: null } },
  dense: { strict_match: { value: 1, error: null }, flexible_extract: { value: 1, error: null } },
  paired: { strict_match: { lost: 0, won: 0, p: 1 }, flexible_extract: { lost: 1, won: 0, p: 1 } },
});

const withoutText = (result: EvaluationResult): EvaluationResult => ({
  ...without(result, 'perplexity', 'densePerplexity'),
  provenance: without(result.provenance, 'text', 'textHash', 'textTokens'),
});

describe('the table of tasks', () => {
  it('has the dense model once, a line of changes below each pruned one, and says what the mark means', () => {
    const lines = taskLines([
      sampleResult({ tasks: [sampleTask()] }),
      sampleResult({ metric: 'magnitude', tasks: [sampleTask({ paired: { acc: { lost: 9, won: 3, p: 0.146 } } })] }),
    ]);
    expect(lines).toEqual([
      '',
      'acc, %               PIQA',
      'dense          63.6 ± 1.1',
      'wanda 50%      61.2 ± 1.1',
      '                    −2.4†',
      'magnitude 50%  61.2 ± 1.1',
      '                     −2.4',
      '',
      'acc_norm, %          PIQA',
      'dense          62.0 ± 1.1',
      'wanda 50%      62.1 ± 1.1',
      '                     +0.1',
      'magnitude 50%  62.1 ± 1.1',
      '                     +0.1',
      '',
      '† another number of right answers than dense, beyond chance: p < 0.05 by McNemar’s exact test over the same documents',
      '',
      'PIQA  /data/piqa.jsonl  (1838 documents as harness 0.4 asks them; 160000 tokens in 12.3 s; prompts dddddddddddd)',
    ]);
  });

  it('has a column a task, and their mean with the error of independent tasks', () => {
    const lines = taskLines([sampleResult({ tasks: [...sevenTasks(), sampleTask()] })]);
    const [, head, dense, own, changes] = lines.map((line) => line.split(/ {2,}/));
    expect(head).toEqual([
      'acc, %',
      ...['BoolQ', 'RTE', 'HellaSwag', 'WinoGrande', 'ARC-Easy', 'ARC-Challenge', 'OpenBookQA', 'PIQA', 'mean of 7'],
    ]);
    // 0.01 · √7 / 7
    expect(dense!.at(-1)).toBe('55.0 ± 0.4');
    expect(own!.at(-1)).toBe('53.0 ± 0.4');
    expect(changes!.at(-1)).toBe('−2.0');
  });

  it('tells what is generated apart, few shots, single documents and cut requests', () => {
    const lines = taskLines([sampleResult({ tasks: [GSM8K, sampleTask({ truncated: 3, paired: {} })] })]).join('\n');
    expect(lines).toMatch(/exact match, strict, % {2}GSM8K \(5 shots\)\ndense {2,}100\.0\n/);
    expect(lines).toContain('exact match, flexible, %');
    expect(lines).toContain('3 of 3676 requests cut from the left');
    expect(lines).not.toContain('†');
    expect(lines).not.toContain('mean of');
  });

  it('of the dense model alone has no changes, and there is none without tasks', () => {
    const dense = sampleResult({ metric: 'dense', tasks: [denseTask()] });
    expect(taskLines([without(dense, 'sparsity')]).slice(0, 3)).toEqual([
      '',
      'acc, %        PIQA',
      'dense   63.6 ± 1.1',
    ]);
    expect(taskLines([sampleResult()])).toEqual([]);
  });
});

function reported(kind: typeof jsonReport, result: EvaluationResult, documents: TaskDocument[][] = []): string[] {
  const lines: string[] = [];
  const stream = { write: (text: string) => lines.push(...text.replace(/\n$/, '').split('\n')) };
  const report = kind(createTerminal(stream, stream, {}));
  report.begin(result.perplexity === undefined ? without(samplePlan(), 'text') : samplePlan());
  report.result(result, documents);
  report.end();
  return lines;
}

describe('with --json', () => {
  const DOCUMENT: TaskDocument = {
    ...{ task: 'piqa', document: 4, row: 7, gold: 1, predicted: 0, predictedNorm: 1 },
    ...{
      logLikelihoods: [-1.5, -2.25],
      greedy: [true, false],
      tokens: [
        [9, 1],
        [9, 2],
      ],
      sha: ['aa', 'bb'],
    },
  };
  const objects = (result: EvaluationResult, documents?: TaskDocument[][]) =>
    reported(jsonReport, result, documents).map((line) => JSON.parse(line) as Record<string, unknown>);

  it('documents come before their task, and the evaluation closes it', () => {
    const all = objects(sampleResult({ tasks: [GSM8K, sampleTask()] }), [[], [DOCUMENT]]);
    const kinds = all.map((one) => ('doc' in one ? 'document' : 'task' in one ? 'task' : 'evaluation'));
    expect(kinds).toEqual(['task', 'document', 'task', 'evaluation']);
    for (const one of all) expect(one).toMatchObject({ metric: 'wanda', expression: 'W * sqrt(X)', sparsity: '50%' });
    expect(all[1]).toEqual({
      ...{
        metric: 'wanda',
        expression: 'W * sqrt(X)',
        sparsity: '50%',
        task: 'piqa',
        doc: 4,
        row: 7,
        gold: 1,
        pred: 0,
      },
      ...{
        pred_norm: 1,
        lls: [-1.5, -2.25],
        greedy: [true, false],
        tokens: [
          [9, 1],
          [9, 2],
        ],
        sha: ['aa', 'bb'],
      },
    });
    expect(all[2]).toMatchObject({
      ...{ task: 'piqa', documents: 1838, shots: 0, acc: 0.612, accNorm: 0.6205, stderr: 0.0114, stderrNorm: 0.0113 },
      ...{ denseAcc: 0.636, denseStderr: 0.0112, denseAccNorm: 0.62, lost: 120, won: 76, p: 0.002, pNorm: 1 },
      ...{ seconds: 12.3, fingerprint: 'd'.repeat(64), truncated: 0, tokens: 160_000 },
    });
    expect(all[3]).not.toHaveProperty('tasks');
    expect(all[3]).toMatchObject({ perplexity: 145.7123 });
  });

  it('documents are those of the task that they were told of', () => {
    const of = (task: string, document: number): TaskDocument => ({ ...DOCUMENT, task, document });
    const tasks = [
      sampleTask({ documents: 2 }),
      GSM8K,
      sampleTask({ documents: 1, shots: 5 }),
      sampleTask({ task: 'rte', documents: 1 }),
    ];
    const told = [of('piqa', 0), of('piqa', 1), of('piqa', 0), of('rte', 0)];
    expect(documentsOfTasks(tasks, told)).toEqual([[told[0], told[1]], [], [told[2]], [told[3]]]);
    expect(documentsOfTasks(tasks, [])).toEqual([[], [], [], []]);
    expect(documentsOfTasks(undefined, [])).toEqual([]);
  });

  it('what is generated has its strict match as acc, and one document no error', () => {
    expect(objects(sampleResult({ tasks: [GSM8K] }))[0]).toMatchObject({
      ...{ task: 'gsm8k', shots: 5, acc: 1, stderr: null, flexibleExtract: 0, denseFlexibleExtract: 1, pFlexible: 1 },
    });
  });

  it('a group has its parts, and the dense model nothing to compare with', () => {
    const dense = without(sampleResult({ metric: 'dense' }), 'sparsity');
    const parts = [{ task: 'mmlu_astronomy', documents: 152, means: { acc: { value: 0.25, error: 0.03 } } }];
    const [task] = objects({ ...dense, tasks: [denseTask({ task: 'mmlu', parts })] });
    expect(task).toMatchObject({
      sparsity: null,
      parts: [{ task: 'mmlu_astronomy', documents: 152, acc: 0.25, stderr: 0.03 }],
    });
    expect(Object.keys(task!).filter((key) => /^dense|^p$|lost|won/.test(key))).toEqual([]);
  });
});

describe('for a person', () => {
  it('tasks stand under the perplexities', () => {
    const lines = reported(humanReport, sampleResult({ tasks: [sampleTask()] }));
    expect(lines[0]).toContain('perplexity');
    expect(lines.join('\n')).toContain('acc, %');
  });

  it('and without a text there are no perplexities', () => {
    const lines = reported(humanReport, withoutText(sampleResult({ tasks: [sampleTask()] }))).join('\n');
    expect(lines).not.toMatch(/undefined|NaN/);
    expect(lines).toContain('61.2 ± 1.1');
  });
});
