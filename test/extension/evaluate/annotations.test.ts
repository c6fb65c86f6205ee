import { describe, expect, it } from 'vitest';
import type { EvaluationPlan } from '../../../src/experiment/planSchema.ts';
import type { PerplexityResult } from '../../../src/experiment/resultSchema.ts';
import { annotate } from '../../../src/extension/evaluate/annotations.ts';
import type { DeclarationView, Freshness } from '../../../src/extension/evaluate/annotations.ts';
import { createRecord, recordKey } from '../../../src/runs/evaluationRecord.ts';
import type { EvaluationRecord } from '../../../src/runs/evaluationRecord.ts';
import { resultUnderProtocol, samplePlan, sampleResult } from '../../protocol/samples.ts';

const HALF = { kind: 'unstructured', share: 0.5 } as const;
const TWO_OF_FOUR = { kind: 'n:m', keep: 2, of: 4 } as const;

let seconds = 0;
function record(changes: Partial<PerplexityResult> = {}, plan: EvaluationPlan = samplePlan()): EvaluationRecord {
  return createRecord(plan, sampleResult(changes), {
    root: '/',
    document: '/m.prune',
    savedAt: new Date(1e12 + 1000 * seconds++),
  });
}

const planned = (...records: EvaluationRecord[]) =>
  records.map((each) => ({ key: recordKey(each), metric: each.result.metric }));

const metric = (changes: Partial<DeclarationView> = {}): DeclarationView => ({
  kind: 'metric',
  name: 'wanda',
  line: 4,
  planned: [],
  ...changes,
});
const experiment = (changes: Partial<DeclarationView> = {}): DeclarationView => ({
  kind: 'experiment',
  name: 'halves',
  line: 9,
  planned: [],
  ...changes,
});

function check(declarations: DeclarationView[], records: EvaluationRecord[], freshness: Freshness = 'same') {
  return annotate({ declarations, records, freshness: () => freshness, speedOf: () => undefined }).map(
    ({ line, tone, text }) => `${line} ${tone}: ${text}`,
  );
}

const wanda = record();
const wanda24 = record({ sparsity: TWO_OF_FOUR, perplexity: 171.23, seconds: 1.9, actualSparsity: 0.5 });
const mine = record({ metric: 'mine', expression: 'W * X', perplexity: 150.2 });
const older = record({ perplexity: 999 });
const dense: EvaluationRecord = { ...record(), result: unpruned() };

function unpruned(): PerplexityResult {
  const result: Partial<PerplexityResult> = sampleResult({
    metric: 'dense',
    expression: 'dense',
    perplexity: 143.3045,
  });
  Reflect.deleteProperty(result, 'sparsity');
  return result as PerplexityResult;
}

describe('beside a metric', () => {
  it.each<[string, DeclarationView[], EvaluationRecord[], string[]]>([
    ['nothing was evaluated: nothing', [metric({ planned: planned(wanda) })], [], []],
    [
      'its result',
      [metric({ planned: planned(wanda) })],
      [wanda],
      ['4 result: ppl 145.7  (dense 143.3, +1.7 %) · 50 % · 2.1 s · cpu'],
    ],
    [
      'its newest result',
      [metric({ planned: planned(wanda) })],
      [older, { ...wanda, savedAt: 'z' }],
      ['4 result: ppl 145.7  (dense 143.3, +1.7 %) · 50 % · 2.1 s · cpu'],
    ],
    [
      'several sparsities, each against the dense one',
      [metric({ planned: planned(wanda, wanda24) })],
      [wanda, wanda24],
      ['4 result: ppl 145.7 (+1.7 %) at 50 %, 171.2 (+19 %) at 2:4 · dense 143.3 · 4.0 s · cpu'],
    ],
    [
      'only those sparsities that it has',
      [metric({ planned: planned(wanda, wanda24) })],
      [wanda24],
      ['4 result: ppl 171.2  (dense 143.3, +19 %) · 2:4 · 1.9 s · cpu'],
    ],
    [
      'a metric that has changed: its last result, stale',
      [metric({ planned: planned(mine) })],
      [older, wanda],
      ['4 stale: stale: ppl 145.7  (dense 143.3, +1.7 %) · 50 % · 2.1 s · cpu'],
    ],
    [
      'a metric that cannot be evaluated now: its last result, stale',
      [metric({ planned: undefined })],
      [wanda],
      ['4 stale: stale: ppl 145.7  (dense 143.3, +1.7 %) · 50 % · 2.1 s · cpu'],
    ],
    [
      'evaluated by an experiment that is not its first: that is current too',
      [metric({ planned: planned(wanda24) }), experiment({ planned: planned(wanda, mine) })],
      [wanda],
      ['4 result: ppl 145.7  (dense 143.3, +1.7 %) · 50 % · 2.1 s · cpu', '9 stale: 1 of 2 evaluated'],
    ],
    [
      'it runs',
      [metric({ planned: planned(wanda), activity: { state: 'running' } })],
      [wanda],
      ['4 running: getting ready …'],
    ],
    [
      'it runs and says how far',
      [
        metric({
          activity: {
            state: 'running',
            progress: { stage: 'evaluating', done: 27, total: 60, detail: 'block 3 of 6' },
          },
        }),
      ],
      [],
      ['4 running: block 3 of 6 · 45 %'],
    ],
    [
      'it waits',
      [metric({ activity: { state: 'waiting' } })],
      [wanda],
      ['4 running: waiting for the evaluation before it …'],
    ],
    [
      'it failed',
      [
        metric({
          planned: planned(wanda),
          failure: {
            code: 'corpus/too-short',
            operation: 'cutting blocks',
            expected: 'x',
            actual: 'a text of 12 tokens',
            remedy: 'r',
          },
        }),
      ],
      [wanda],
      ['4 failed: ✗ cutting blocks: a text of 12 tokens'],
    ],
  ])('%s', (_, declarations, records, expected) => {
    expect(check(declarations, records)).toEqual(expected);
  });

  it.each<[Freshness, string]>([
    ['same', '4 result: ppl 145.7  (dense 143.3, +1.7 %) · 50 % · 2.1 s · cpu'],
    ['changed', '4 stale: stale: ppl 145.7  (dense 143.3, +1.7 %) · 50 % · 2.1 s · cpu'],
    ['unknown', '4 stale: ppl 145.7  (dense 143.3, +1.7 %) · 50 % · 2.1 s · cpu · inputs not checked yet'],
  ])('inputs %s', (freshness, expected) => {
    expect(check([metric({ planned: planned(wanda) })], [wanda], freshness)).toEqual([expected]);
  });
});

describe('beside an experiment', () => {
  it.each<[string, EvaluationRecord[], string[]]>([
    ['nothing yet', [], []],
    [
      'metrics from best to worst by sparsity',
      [mine, wanda, wanda24],
      ['9 result: 50 %: wanda 145.7, mine 150.2 · 2:4: wanda 171.2 · dense 143.3 · cpu'],
    ],
    ['dense alone', [dense], ['9 result: ppl 143.3  (dense) · 2.1 s · cpu']],
  ])('%s', (_, records, expected) => {
    expect(check([experiment({ planned: planned(...records) })], records)).toEqual(expected);
  });

  it('names three and counts the rest; where some have no result, only how many have', () => {
    const many = ['a', 'b', 'c', 'd', 'e'].map((name, i) =>
      record({ metric: name, expression: `W ^ ${i}`, perplexity: 200 - i, sparsity: HALF }),
    );
    const whole = experiment({ planned: planned(...many) });
    expect(check([whole], many)).toEqual(['9 result: 50 %: e 196.0, d 197.0, c 198.0, 2 more · dense 143.3 · cpu']);
    expect(check([whole], many.slice(0, 4))).toEqual(['9 stale: 4 of 5 evaluated']);
  });
});

describe('in few columns', () => {
  const shortOf = (declaration: DeclarationView, records: EvaluationRecord[], freshness: Freshness = 'same') =>
    annotate({ declarations: [declaration], records, freshness: () => freshness, speedOf: () => undefined })[0]!.short;
  const failure = (actual: string): NonNullable<DeclarationView['failure']> => ({
    ...{ code: 'corpus/too-short', operation: 'cutting blocks', expected: 'x', remedy: 'r' },
    actual,
  });

  it.each<[string, DeclarationView, EvaluationRecord[], Freshness, string]>([
    ['a result', metric({ planned: planned(wanda) }), [wanda], 'same', '145.7 · +1.7 %'],
    ['one that is stale says so', metric({ planned: planned(wanda) }), [wanda], 'changed', 'stale: 145.7 · +1.7 %'],
    [
      'one that is not checked says so',
      metric({ planned: planned(wanda) }),
      [wanda],
      'unknown',
      '145.7 · +1.7 % · not checked',
    ],
    ['a metric that has changed', metric({ planned: [] }), [wanda], 'same', 'stale: 145.7 · +1.7 %'],
    [
      'an experiment',
      experiment({ planned: planned(mine, wanda) }),
      [mine, wanda],
      'same',
      'wanda 145.7 · +1.7 %, 1 more',
    ],
    [
      'a failure',
      metric({ failure: failure('a text of 12 tokens that is far too short for this') }),
      [],
      'same',
      '✗ cutting blocks: a text of 12 tokens tha…',
    ],
  ])('%s', (_, declaration, records, freshness, short) => {
    expect(shortOf(declaration, records, freshness)).toBe(short);
  });
});

describe('the hover', () => {
  const hoverOf = (records: EvaluationRecord[]) =>
    annotate({
      ...{ declarations: [metric({ planned: planned(...records) })], records },
      ...{ freshness: () => 'same', speedOf: () => undefined },
    })[0]!.hover;

  it('says where the number comes from', () => {
    expect(hoverOf([wanda])).toMatchInlineSnapshot(`
      "| | |
      |---|---|
      | perplexity | **145.7123** · dense 143.3045, +1.7 % |
      | expression | \`W * sqrt(X)\` |
      | sparsity | 50 % (50 % of the prunable weights are zero), compared by row, sequential calibration |
      | fingerprint | \`ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff\` |
      | checkpoint | \`models/tiny\` · sha-256 \`aaaaaaaaaaaa\` (with tokenizer) · LlamaForCausalLM, 6.45M |
      | text | \`data/test.txt\` · sha-256 \`bbbbbbbbbbbb\` · 330000 tokens, 64 blocks of 256 tokens |
      | calibration | \`data/valid.txt\` · sha-256 \`cccccccccccc\` · 16 samples of 256 tokens at even offsets |
      | device | CPU, 2 threads · float32 |
      | evaluated | 2.1 s · 2001-09-09 01:46 UTC |
      | versions | espalier 0.1.0, onnxruntime 1.30.0 |"
    `);
  });

  it('says the protocol with its deviations, beside the line and in the hover, with words, bytes and what was published', () => {
    const under = (changes = {}): EvaluationRecord => ({ ...record(), result: resultUnderProtocol(changes) });
    const own = under();
    const line = check([metric({ planned: planned(own) })], [own])[0];
    expect(line).toMatch(/ · cpu · pruner-zero, but length 256$/);
    const hover = hoverOf([own]);
    expect(hover).toContain('| protocol | **pruner-zero, but length 256** |');
    expect(hover).toContain('145.7123** · dense 143.3045, +1.7 %, by token |');
    expect(hover).toMatch(/\| by word \| \d+\.\d+ · dense \d+\.\d+ \|\n\| by byte \| \d\.\d+ · dense \d\.\d+ \|/);
    expect(hover).toContain('64 blocks of 256 tokens · rows wikitext |');
    expect(hover).toContain('· 1 sample of 2048 tokens at Python’s random offsets, seed 0 · join space |');
    expect(hover).not.toContain('published');
    const commit = '0123456789abcdef0123456789abcdef01234567';
    const fetched = under({ model: `../c/models--o--m/snapshots/${commit}` });
    expect(hoverOf([fetched])).toContain('| checkpoint | `hf:o/m@0123456789ab` · sha-256');
    const llama = under({ model: '/m/Llama-2-7b-hf', protocol: 'wanda', deviations: [] });
    expect(hoverOf([llama])).toContain('| published | 6.42 · Wanda, README, LLaMA-2 results |');
    expect(hoverOf([llama, wanda24])).toContain('published: wanda at 50 % 6.42 (Wanda, README, LLaMA-2 results)');
  });

  it('compares several', () => {
    expect(hoverOf([wanda, wanda24]).replaceAll('\u00A0', ' ').split('\n').slice(0, 6).join('\n'))
      .toMatchInlineSnapshot(`
      "| metric | expression | sparsity | perplexity | against dense | took | fingerprint |
      |---|---|---|---|---|---|---|
      | wanda | \`W * sqrt(X)\` | 50 % | 145.7123 | +1.7 % | 2.1 s | \`ffffffffffff\` |
      | wanda | \`W * sqrt(X)\` | 2:4 | 171.2300 | +19 % | 1.9 s | \`ffffffffffff\` |

      dense **143.3045**"
    `);
  });

  it('cannot be broken out of by names that a file chose', () => {
    const hostile = record({ metric: '`x` | [a](command:b)', expression: 'W` | ![i](http://x)\n# H' });
    const hover = hoverOf([
      {
        ...hostile,
        result: {
          ...hostile.result,
          provenance: { ...hostile.result.provenance, deviceName: '<img src=x> [a](command:b)' },
        },
      },
    ]);
    expect(hover).toMatch(/`W +!\[i\]\(http:\/\/x\) # H`/);
    expect(hover).toContain('\\<img src=x\\> \\[a\\]\\(command:b\\)');
  });
});
