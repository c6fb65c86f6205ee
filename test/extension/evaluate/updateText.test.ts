import { describe, expect, it } from 'vitest';
import { DEFAULT_RECOVERY_SETTINGS, type Recovery, recoveryText } from '../../../src/experiment/recovery.ts';
import type { PerplexityResult } from '../../../src/experiment/resultSchema.ts';
import type { UpdateReport } from '../../../src/experiment/updateSchema.ts';
import { annotate } from '../../../src/extension/evaluate/annotations.ts';
import {
  experimentLine,
  provenanceHover,
  resultLine,
  resultsLine,
} from '../../../src/extension/evaluate/resultText.ts';
import { metricName, prunedText, updateInFull } from '../../../src/extension/evaluate/updateText.ts';
import { compared, comparisonTable } from '../../../src/extension/results/comparisonTable.ts';
import { evaluationRows } from '../../../src/extension/results/evaluationRows.ts';
import { shortExperiment, shortResults } from '../../../src/extension/results/shortText.ts';
import { createRecord } from '../../../src/runs/evaluationRecord.ts';
import type { EvaluationRecord } from '../../../src/runs/evaluationRecord.ts';
import { samplePlan, sampleResult } from '../../protocol/samples.ts';

const ADMM = { method: 'admm', iterations: 20, damping: 0.1 } as const;
const LONGER = { ...ADMM, iterations: 50 } as const;
const SPARSEGPT = { method: 'sparsegpt', damping: 0.01, columns: 128 } as const;
const RECONSTRUCT = { method: 'reconstruct', damping: 0.01 } as const;
const TWO_OF_FOUR = { kind: 'n:m', keep: 2, of: 4 } as const;

/** A result of wanda, in a model that has a perplexity of 100.3. */
function wanda(perplexity: number, changes: Partial<PerplexityResult> = {}): PerplexityResult {
  return sampleResult({ perplexity, densePerplexity: 100.3, ...changes });
}

function updated(perplexity: number, update: UpdateReport['update'], said: string, report: Partial<UpdateReport> = {}) {
  const named = { metric: `wanda then ${said}`, expression: `W * sqrt(X) then ${said}` };
  return wanda(perplexity, { ...named, update: { update, ...report } });
}

const masked = wanda(106.7);
const admm = updated(102.5, ADMM, 'admm');
const longer = updated(102.4, LONGER, 'admm (iterations: 50)');
const own = wanda(103.1, { metric: 'sparsegpt', expression: 'sparsegpt', update: { update: SPARSEGPT } });
const pattern = { ...wanda(120.4), sparsity: TWO_OF_FOUR };
const both = wanda(99.9, {
  metric: 'wanda-sp then reconstruct',
  expression: 'wanda-sp then reconstruct',
  update: { update: RECONSTRUCT, layers: 8 },
});

const LORA = { method: 'lora', ...DEFAULT_RECOVERY_SETTINGS } as const;
const recovered = (result: PerplexityResult, recovery: Recovery): PerplexityResult => ({
  ...result,
  expression: `${result.expression}, recovered by ${recoveryText(recovery)}`,
  recovery: {
    recovery,
    trainable: 1000,
    sequences: 40,
    steps: 10,
    kept: 10,
    reason: 'steps',
    detail: 'all 10 are done',
    before: result.perplexity,
    heldOut: { dense: 90, before: 110, after: 95 },
  },
});

let seconds = 0;
const record = (result: PerplexityResult): EvaluationRecord =>
  createRecord(samplePlan(), result, {
    ...{ root: '/', document: '/m.prune' },
    savedAt: new Date(1e12 + 1000 * seconds++),
  });

describe('what follows a mask', () => {
  it.each<[string, PerplexityResult, string]>([
    ['nothing', masked, '50 %'],
    ['an update', admm, '50 % then admm'],
    ['an update with other settings', longer, '50 % then admm (iterations: 50)'],
    ['an update of a pattern', { ...admm, sparsity: TWO_OF_FOUR }, '2:4 then admm'],
    ['nothing after SparseGPT’s own mask, which comes with its update', own, '50 %'],
    ['a recovery', recovered(masked, LORA), '50 %, recovered by lora'],
    ['an update and a recovery', recovered(admm, LORA), '50 % then admm, recovered by lora'],
    ['a recovery with other settings', recovered(own, { ...LORA, rank: 4 }), '50 %, recovered by lora (rank: 4)'],
  ])('%s', (_, result, words) => {
    expect(prunedText(result)).toBe(words);
  });

  it.each([
    [{ update: ADMM }, 'ADMM · iterations 20, damping 0.1'],
    [{ update: RECONSTRUCT, layers: 8 }, 'Reconstruction · damping 0.01 · 8 output projections refitted'],
    [{ update: RECONSTRUCT, layers: 1 }, 'Reconstruction · damping 0.01 · 1 output projection refitted'],
  ] satisfies [UpdateReport, string][])('in full: %j', (report, words) => {
    expect(updateInFull(report)).toBe(words);
  });

  it.each([
    ['wanda', 'wanda'],
    ['scaled(0.5)', 'scaled'],
    ['wanda then admm', 'wanda'],
    ['scaled(0.5) then admm (iterations: 50)', 'scaled'],
  ])('is no part of the metric’s name: %s', (label, name) => {
    expect(metricName(label)).toBe(name);
  });
});

describe('results with and without an update', () => {
  it.each<[string, string, string]>([
    ['alone', resultLine(admm), 'ppl 102.5  (dense 100.3, +2.2 %) · 50 % then admm · 2.1 s · cpu'],
    [
      'beside their metric',
      resultsLine([masked, admm, pattern]),
      'ppl 106.7 (+6.4 %) at 50 %, 102.5 (+2.2 %) at 50 % then admm, 120.4 (+20 %) at 2:4 · dense 100.3 · 6.4 s · cpu',
    ],
    ['where there is little room', shortResults([masked, admm]), '106.7 · +6.4 %, 102.5 then admm'],
    ['of several sparsities', shortResults([masked, pattern, admm]), '106.7 · +6.4 %, 102.5 then admm, 1 more'],
    ['of which one is updated at another sparsity', shortResults([pattern, admm]), '120.4 · +20 %, 1 more'],
    ['of which all are updated', shortResults([admm]), '102.5 · +2.2 % then admm'],
    [
      'of an experiment',
      experimentLine([masked, admm, own]),
      '50 %: wanda then admm 102.5, sparsegpt 103.1, wanda 106.7 · dense 100.3 · cpu',
    ],
    ['of an experiment, short', shortExperiment([masked, admm]), 'wanda then admm 102.5 · +2.2 %, 1 more'],
  ])('are told apart %s', (_, text, words) => {
    expect(text).toBe(words);
  });

  it('belong to their metric after the file has changed', () => {
    const declaration = { kind: 'metric', name: 'wanda', line: 1, planned: [] } as const;
    const shown = annotate({
      ...{ declarations: [declaration], records: [record(admm)] },
      ...{ freshness: () => 'same', speedOf: () => undefined },
    });
    expect(shown.map(({ text }) => text)).toEqual([`stale: ${resultLine(admm)}`]);
  });

  it('are rows of their own in the view of evaluations', () => {
    const rows = evaluationRows([masked, admm].map(record), { freshness: () => 'same', asked: undefined });
    expect(rows.map(({ record: { result }, description }) => `${result.metric}: ${description}`)).toEqual([
      'wanda then admm: 102.5 · +2.2 % · 50 %',
      'wanda: 106.7 · +6.4 % · 50 %',
    ]);
  });

  it('are both in a comparison of their metric', () => {
    const records = [masked, admm].map(record);
    expect(compared(records, ['wanda'], records[0]!.savedAt)).toEqual(records);
    expect(comparisonTable(records, 'perplexity').match(/^\| `.*$/gm)).toEqual([
      '| `wanda then admm` |      102.5 |   +2.2 % |        best | 50 %     | `W * sqrt(X) then admm` |',
      '| `wanda`           |      106.7 |   +6.4 % |      +4.1 % | 50 %     | `W * sqrt(X)`           |',
    ]);
  });

  it('say their settings once in a hover, and do not repeat the update beside the name', () => {
    const hover = provenanceHover([masked, admm, { ...admm, sparsity: TWO_OF_FOUR }].map(record));
    expect(hover.match(/^\| update \|.*$/gm)).toEqual(['| update | ADMM · iterations 20, damping 0.1 |']);
    expect(hover).toContain('| wanda then admm | `W * sqrt(X)` | 50 % | 102.5000 | +2.2 % | 2.1\u00A0s |');
    expect(provenanceHover([record(both)])).toContain(
      '| update | Reconstruction · damping 0.01 · 8 output projections refitted |',
    );
  });
});

describe('warnings of a hover', () => {
  const damped = updated(104, ADMM, 'admm', { damped: { layers: 2, damping: 10 } });
  const RAISED =
    'H of 2 layers could not be inverted with a damping of 0.1, and got up to 10; take more or longer samples';
  const unrefitted = { ...both, update: { update: RECONSTRUCT, layers: 0 } };
  const unseen = { ...masked, unseenExperts: ['blocks.0.experts.3'] };
  const warnings = (...results: PerplexityResult[]): string[] =>
    [...provenanceHover(results.map(record)).matchAll(/^\| warning \| ⚠ (.*) \|$/gm)].map(([, text]) => text!);

  it.each<[string, string[], RegExp[]]>([
    ['none', warnings(masked, admm), []],
    ['damping that was raised', warnings(damped), [new RegExp(`^${RAISED}$`)]],
    ['of which one of several is the reason', warnings(masked, damped), [/^wanda then admm at 50 %: H of 2 layers/]],
    ['true of all', warnings(damped, { ...damped, sparsity: TWO_OF_FOUR }), [/^H of 2 layers/]],
    ['nothing to refit', warnings(unrefitted), [/^nothing was refitted/]],
    ['experts that nothing went through', warnings(admm, unseen), [/^wanda at 50 %: no calibration token/]],
  ])('%s', (_, told, expected) => {
    expect(told).toHaveLength(expected.length);
    for (const [i, pattern] of expected.entries()) expect(told[i]).toMatch(pattern);
  });
});
