import { describe, expect, it } from 'vitest';
import { Rng } from '../../src/base/rng.ts';
import {
  cutAtStops,
  flexibleExtract,
  generatedRights,
  GSM8K_GENERATION,
  strictMatch,
} from '../../src/tasks/generated.ts';
import { groupOf, judge, meansOf, pairedRights, rightsOf } from '../../src/tasks/judge.ts';
import { meanOf, meanOfTasks } from '../../src/tasks/means.ts';
import { pairedOf } from '../../src/tasks/paired.ts';
import type { AskedDocument } from '../../src/tasks/requests.ts';
import { hasPython, python } from '../support/python.ts';
import { askTasksReference, hasTasksReference } from '../support/tasksReference.ts';

const asked = (gold: number, lengths: readonly number[], subject?: string): AskedDocument => ({
  ...{ file: 'f', row: 0, gold, lengths },
  requests: lengths.map(() => ({ context: 'c', continuation: 'k' })),
  ...(subject !== undefined && { subject }),
});

const near = (value: number): number => expect.closeTo(value, 12) as number;

describe('of a document', () => {
  it.each<[string, readonly number[], readonly number[], number, number]>([
    ['the likeliest is taken', [-3, -2, -4], [1, 1, 1], 1, 1],
    ['the first of equals', [-2, -2], [1, 1], 0, 0],
    ['by character a longer one may win', [-3, -2], [6, 1], 1, 0],
    ['what is impossible loses', [-Infinity, -1e300], [1, 1], 1, 1],
  ])('%s', (_, sums, lengths, predicted, predictedNorm) => {
    expect(judge(asked(0, lengths), sums)).toEqual({ predicted, predictedNorm });
  });

  it('nothing is counted that is no number, or missing', () => {
    expect(() => judge(asked(0, [1, 1]), [-1, Number.NaN])).toThrow(RangeError);
    expect(() => judge(asked(0, [1, 1]), [-1])).toThrow(RangeError);
  });
});

describe('of a task', () => {
  const documents = [0, 1, 0].map((gold) => asked(gold, [1, 2]));
  const judged = documents.map((each) => judge(each, [-1, -1.5]));

  it.each([
    ['piqa', { acc: [true, false, true], acc_norm: [false, true, false] }],
    ['boolq', { acc: [true, false, true] }],
  ])('%s has its metrics', (task, rights) => {
    expect(rightsOf({ task, shots: 0, limit: 0 }, documents, judged)).toEqual(rights);
  });

  it('has the mean and the error of a sample', () => {
    expect(meansOf({ acc: [true, false, true] })).toEqual({ acc: { value: 2 / 3, error: near(1 / 3) } });
    expect(meanOf([true])).toEqual({ value: 1, error: null });
  });

  it('is compared with the dense model by the documents that only one has right', () => {
    expect(pairedRights({ acc: [true, true, false] }, { acc: [false, true, false] })).toEqual({
      acc: { lost: 1, won: 0, p: 1 },
    });
  });

  it('and others have a mean, each alike', () => {
    const means = [0.5, 0.7].map((value) => ({ value, error: 0.03 }));
    expect(meanOfTasks(means)).toEqual({ value: 0.6, error: near(0.03 / Math.SQRT2) });
    expect(meanOfTasks([...means, { value: 0, error: null }]).error).toBeNull();
  });
});

describe.skipIf(!hasTasksReference)('errors (skipped without the oracle of ../shared)', () => {
  it('of tasks and of groups are the oracle’s', () => {
    const rng = new Rng(5);
    const subjects = ['one', 'two', 'three'];
    const of = Array.from({ length: 200 }, () => subjects[rng.integer(3)]!);
    const acc = of.map(() => rng.integer(3) === 0);
    const group = groupOf(
      of.map((subject) => asked(0, [1], subject)),
      { acc },
    );
    const reference = askTasksReference(
      `import math
parts = {k: [v for v, s in zip(input['acc'], input['of']) if s == k] for k in dict.fromkeys(input['of'])}
each = [[k, len(v), *oracle.mean_error([float(x) for x in v])] for k, v in parts.items()]
N = len(input['of'])
print(json.dumps([each, math.sqrt(sum((n - 1) * n * e * e for _, n, _, e in each) / (N - len(each)) / N)]))`,
      { of, acc },
    ) as [readonly [string, number, number, number][], number];
    expect(group.parts).toEqual(
      reference[0].map(([subject, documents, value, error]) => ({
        task: `mmlu_${subject}`,
        documents,
        means: { acc: { value: near(value), error: near(error) } },
      })),
    );
    expect(group.means.acc!.error).toBeCloseTo(reference[1], 12);
  });
});

it.skipIf(!hasPython)(
  'McNemar’s test is the binomial one, counted in whole numbers by Python (skipped without)',
  () => {
    const pairs = [
      [0, 0],
      [1, 0],
      [5, 0],
      [3, 9],
      [60, 40],
      [700, 800],
      [1500, 1400],
    ] as const;
    const exact = python(
      `from math import comb
from fractions import Fraction
print(json.dumps([min(1.0, float(Fraction(2 * sum(comb(a + b, i) for i in range(min(a, b) + 1)), 2 ** (a + b)))) for a, b in input]))`,
      pairs,
    ) as readonly number[];
    for (const [i, [lost, won]] of pairs.entries()) {
      const dense = Array.from({ length: lost + won }, (_, at) => at < lost);
      const { p, ...counts } = pairedOf(
        dense,
        dense.map((right) => !right),
      );
      expect(counts).toEqual({ lost, won });
      expect(p / exact[i]!).toBeCloseTo(1, 9);
    }
  },
);

describe('a generated answer', () => {
  it.each([
    ['The answer is 5.\n\nQuestion: and', 'The answer is 5.\n\n'],
    ['a</s>b', 'a'],
    ['a', 'a'],
  ])('%j ends at a stop', (text, cut) => {
    const { stops } = GSM8K_GENERATION['0.4'];
    expect(cutAtStops(text, stops)).toBe(cut);
  });

  it.each([
    ['so #### 1,234.\n#### 5', '1,234.', '5'],
    ['it costs $1,000.50 or 7', '[invalid]', '7'],
    ['nothing', '[invalid]', '[invalid]'],
    ['a - b, ...', '[invalid]', '...'],
    ['-12', '[invalid]', '-12'],
  ])('of %j', (text, strict, flexible) => {
    expect([strictMatch(text), flexibleExtract(text)]).toEqual([strict, flexible]);
  });

  it.each<['0.4' | '0.3', string, object]>([
    ['0.4', '#### 1234.', { strict_match: true, flexible_extract: true }],
    ['0.4', 'it is $1,234', { strict_match: false, flexible_extract: true }],
    ['0.3', '#### 1234', { acc: true }],
    ['0.3', '#### 1234.', { acc: false }],
    ['0.3', 'none', { acc: false }],
  ])('of harness %s, %j', (harness, text, rights) => {
    expect(generatedRights(harness, text, 'Well.\n#### 1,234')).toEqual(rights);
  });

  it.skipIf(!hasTasksReference)('is extracted and compared as the oracle does, 2000 times (skipped without)', () => {
    const rng = new Rng(9);
    const pieces = ['#### ', '12', '-', '$', ',', '.', '\n', ' 7', 'x', 'Ab', '####', '3.5'];
    const made = (): string =>
      Array.from({ length: rng.integer(9) }, () => pieces[rng.integer(pieces.length)]!).join('');
    const cases = Array.from({ length: 2000 }, () => [made(), made()] as const);
    const reference = askTasksReference(
      String.raw`def judged(text, answer):
    got = oracle.number(text, r'#### (\-?[0-9\.\,]+)', 0), oracle.number(text, r'(-?[$0-9.,]{2,})|(-?[0-9]+)', -1)
    return [*got, *(oracle.plain(g) == oracle.plain(answer) for g in got)]
print(json.dumps([judged(*each) for each in input]))`,
      cases,
    );
    const ours = cases.map(([text, answer]) => {
      const { strict_match: strict, flexible_extract: flexible } = generatedRights('0.4', text, answer);
      return [strictMatch(text), flexibleExtract(text), strict, flexible];
    });
    expect(ours).toEqual(reference);
  });
});
