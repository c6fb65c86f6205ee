import { describe, expect, it } from 'vitest';
import { DEFAULT_ROWS } from '../../src/experiment/corpusRows.ts';
import type { EvaluationPlan } from '../../src/experiment/planSchema.ts';
import { scoreText } from '../../src/experiment/planned.ts';
import { createRecord, plannedKey, recordKey } from '../../src/runs/evaluationRecord.ts';
import { differences } from '../../src/runs/runTitles.ts';
import { compile } from '../../src/language/check/compile.ts';
import { searchPlansFor } from '../../src/language/plan/searchPlan.ts';
import { samplePlan, sampleResult } from '../protocol/samples.ts';

const ROOT = '/data';
const [EVALUATION] = samplePlan().evaluations;
const keyOf = (changes: Partial<EvaluationPlan>, group?: 'layer'): string => {
  const evaluation = { ...EVALUATION!, ...(group && { group }) };
  return plannedKey(samplePlan(changes), evaluation, ROOT);
};

describe('the key of a kept evaluation', () => {
  it.each<[string, Partial<EvaluationPlan>, 'layer' | undefined]>([
    ['rows', { rows: { text: { ...DEFAULT_ROWS, rows: 'wikitext' } } }, undefined],
    ['rows of the calibration', { rows: { calibration: { ...DEFAULT_ROWS, rows: 'wikitext' } } }, undefined],
    ['a text of gradients', { gradients: '/data/g.txt' }, undefined],
    ['samples for gradients', { settings: { ...samplePlan().settings, gradientSamples: 3 } }, undefined],
    ['a group of the metric’s own', {}, 'layer'],
  ])('is another with %s', (_, changes, group) => {
    expect(keyOf(changes, group)).not.toBe(keyOf({}));
  });

  it('is the same whatever protocol led to the settings, and the record’s that was made of the plan', () => {
    expect(keyOf({ protocol: 'wanda' })).toBe(keyOf({}));
    const plan = samplePlan({
      gradients: '/data/g.txt',
      rows: { text: { ...DEFAULT_ROWS, first: 3 } },
      protocol: 'wanda',
    });
    const evaluation = { ...EVALUATION!, group: 'layer' as const };
    const result = sampleResult({ expression: scoreText(evaluation) });
    const record = createRecord(plan, result, { root: ROOT, document: '/data/m.prune', savedAt: new Date(0) });
    expect(record).toMatchObject({ gradients: 'g.txt', protocol: 'wanda', rows: { text: { first: 3 } } });
    expect(recordKey(record)).toBe(plannedKey(plan, evaluation, ROOT));
  });
});

describe('what tells runs apart', () => {
  it('is a protocol first, and rows in words', () => {
    const plans = ['', 'protocol: wanda', 'protocol: wanda length: 64', 'gradients: "g" (rows: lines)'].flatMap(
      (said) =>
        searchPlansFor(compile(`search s { model: "m" evaluate: "t" calibrate: "c" test: "u" ${said} }`), 's', {
          folder: '/',
        }),
    );
    const [none, wanda, short, own] = differences(plans);
    expect(wanda![0]).toBe('protocol wanda');
    expect(none![0]).toBe('protocol –');
    expect(wanda).toContain('rows of text rows wikitext');
    expect(short).toContain('block length 64');
    expect(own).toContain('rows of gradients rows lines');
    expect(own).toContain('gradients /g');
  });
});
