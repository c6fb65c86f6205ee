import { describe, expect, it } from 'vitest';
import { Rng } from '../../../../src/base/rng.ts';
import { readFormula } from '../../../../src/coordinator/readFormula.ts';
import { canonical } from '../../../../src/metric/canonical.ts';
import { parsePrefix } from '../../../../src/metric/parsePrefix.ts';
import { depthOf, operandsOf, sizeOf } from '../../../../src/metric/measure.ts';
import { printPrefix } from '../../../../src/metric/print.ts';
import { nodesOf } from '../../../../src/search/metrics/tree.ts';
import { readProposals } from '../../../../src/search/metrics/proposals/readProposals.ts';
import type { ReadReply } from '../../../../src/search/metrics/proposals/readProposals.ts';
import { MAX_REPLY_LENGTH } from '../../../../src/search/metrics/proposals/replyFormulas.ts';
import { MAX_REJECTED, MAX_SHOWN } from '../../../../src/search/metrics/proposals/schema.ts';
import type { MetricSearchPlan } from '../../../../src/search/metrics/plan.ts';
import { formulaReply, FORMULA_STYLES } from '../../../support/formulaReplies.ts';
import { planOf } from '../simulation.ts';

const WANDA = canonical(parsePrefix('mul(W, sqrt(X))')).key;

function read(reply: string, count = 10, plan: MetricSearchPlan = planOf({ size: 12, depth: 5 })): ReadReply {
  return readProposals(reply, {
    count,
    plan,
    readFormula,
    knownAs: ({ key }) => (key === WANDA ? 'wanda' : undefined),
  });
}

const taken = (reply: ReadReply): readonly string[] => reply.formulas.map(({ expression }) => printPrefix(expression));

describe('a proposal', () => {
  it.each<[formula: string, expression: string]>([
    ['W * mms(X)', 'mul(W, mms(X))'],
    ['mul(W, mms(X))', 'mul(W, mms(X))'],
    ['-W * exp(G)', 'mul(neg(W), exp(G))'],
    ['$W * X$', 'mul(W, X)'],
    // Spelled with the operations that the search has.
    ['W^2 * mms(X)', 'mul(sqr(W), mms(X))'],
    ['W**2 * G^0.5', 'mul(sqr(W), sqrt(G))'],
    ['G^1 * mms(X)', 'mul(G, mms(X))'],
    // Without opposing operations, as the search makes its own trees.
    ['abs(W) * skp(tanh(X))', 'mul(W, tanh(X))'],
  ])('%s is taken up as %s', (formula, expression) => {
    const reply = read(formula);
    expect(reply.rejected).toEqual([]);
    expect(taken(reply)).toEqual([expression]);
  });

  it.each<[formula: string, reason: RegExp]>([
    ['W * sqrt(X', /it cannot be read: at character \d+: .*`\)`/],
    ['W *', /it cannot be read/],
    ['W * softmax(X)', /it cannot be read: at character 5: .*softmax/],
    ['W * H', /it cannot be read: at character 5: .*H/],
    ['sqrt(W, X)', /it cannot be read: .*takes 1 argument/],
    ['|W| * X', /bars mean nothing here: the magnitude of x is abs\(x\)/],
    ['W.abs() * sqrt(X)', /code of another language/],
    ['torch.abs(W) * sqrt(X)', /code of another language/],
    ['W \\cdot \\sqrt{X}', /LaTeX/],
    ['W[i, j] * X', /no indices/],
    ['W * √X', /by their names/],
    ['W / X', /it has \/, which is none of this search’s operations/],
    ['W ^ 3', /it has \^, which is none/],
    ['W * 2', /it has the number 2, and this search has none/],
    ['W * Xmax', /it has Xmax, and this search has W, X, G/],
    ['W * W * W * W * W * W * W', /it has 13 nodes, and 12 are allowed/],
    ['exp(tanh(exp(tanh(exp(tanh(W))))))', /it is 7 deep, and 5 is allowed/],
    ['W - W', /0 for every weight and cannot rank/],
    ['W * sqrt(X)', /it ranks like wanda/],
    ['mms(sqr(W) * X)', /it ranks like wanda/],
    [`W${' * W'.repeat(3000)}`, /more than 8000 characters/],
  ])('%s is rejected', (formula, reason) => {
    const { formulas, rejected } = read(formula);
    expect(formulas).toEqual([]);
    expect(rejected).toHaveLength(1);
    expect(rejected[0]!.reason).toMatch(reason);
    expect(rejected[0]!.text.length).toBeLessThanOrEqual(MAX_SHOWN);
  });

  it.each<[constants: 'exponents' | 'all', formula: string, taken: boolean]>([
    ['exponents', 'W * X ^ 0.4', true],
    ['exponents', 'W + 0.3 * X', false],
    ['exponents', 'W / X ^ 0.4', false],
    ['all', 'W * X ^ 0.4', true],
    ['all', 'W + 0.3 * X', true],
  ])('with constants: %s %s is taken up: %s', (constants, formula, isTaken) => {
    const { formulas } = read(formula, 1, planOf({ size: 12, depth: 5, constants }));
    expect(formulas).toHaveLength(isTaken ? 1 : 0);
  });

  it('that ranks like one before it in the same reply is rejected, which is said', () => {
    const reply = read('W * mms(G)\nmul(mms(G), W)\nexp(W) * X');
    expect(taken(reply)).toEqual(['mul(W, mms(G))', 'mul(exp(W), X)']);
    expect(reply.rejected).toEqual([{ text: 'mul(mms(G), W)', reason: 'it ranks like W * mms(G)' }]);
  });

  it('beyond those that are wanted is not looked at', () => {
    const reply = read('W * mms(G)\nexp(W) * X\nW + X\nno formula here\nW * H', 2);
    expect(taken(reply)).toHaveLength(2);
    expect(reply).toMatchObject({ rejected: [], unread: 2 });
  });
});

describe('a reply', () => {
  it('of wrong formulas without end has the first ones told', () => {
    const reply = read('W * nonsense\n'.repeat(5 * MAX_REJECTED));
    expect(reply.rejected).toHaveLength(MAX_REJECTED);
    expect(reply.unread).toBe(4 * MAX_REJECTED);
  });

  it('that is too long is rejected as a whole', () => {
    expect(read('W * X\n'.repeat(MAX_REPLY_LENGTH)).rejected).toMatchObject([
      { reason: expect.stringContaining('characters') as string },
    ]);
  });

  it('of whatever text gives only formulas that the search could have made, each once', () => {
    const plan = planOf({ size: 12, depth: 5 });
    const rng = new Rng(5);
    let formulas = 0;
    for (let round = 0; round < 700; round++) {
      const style = FORMULA_STYLES[round % FORMULA_STYLES.length]!;
      const whole = formulaReply('propose as many as 6', rng, style);
      const text = round % 3 === 0 ? whole : edited(whole, rng);
      const reply = read(text, 4, plan);
      formulas += reply.formulas.length;
      expect(reply.formulas.length).toBeLessThanOrEqual(4);
      const keys = reply.formulas.map(({ expression }) => canonical(expression).key);
      expect(new Set(keys).size).toBe(keys.length);
      for (const { expression } of reply.formulas) {
        expect(sizeOf(expression)).toBeLessThanOrEqual(12);
        expect(depthOf(expression)).toBeLessThanOrEqual(5);
        expect(operandsOf(expression).every((name) => plan.operands.includes(name))).toBe(true);
        for (const { node } of nodesOf(expression)) {
          expect(node.kind).not.toBe('number');
          if (node.kind === 'operation') expect(plan.operations).toContain(node.operation);
        }
        // The journal reads back what it is told.
        expect(printPrefix(parsePrefix(printPrefix(expression)))).toBe(printPrefix(expression));
      }
    }
    expect(formulas).toBeGreaterThan(20);
  });
});

const WORDS = [
  ...[
    'W',
    'X',
    'G',
    'Xmax',
    'mul(',
    'sqrt(',
    'power',
    'quotient',
    'exp',
    '(',
    ')',
    ',',
    '*',
    '+',
    '-',
    '/',
    '^',
    '2',
    '0.5',
  ],
  ...[
    '1e400',
    '\n',
    ' ',
    '```',
    '"',
    '[',
    ']',
    '{',
    '}',
    ':',
    '=',
    '|',
    '\\',
    '#',
    '1. ',
    '<think>',
    '</think>',
    '\u0000',
  ],
  ...['\ud800', '\uffff', '∑', 'the metric is', '('.repeat(300), 'sqrt('.repeat(300), 'W *'.repeat(300)],
];

/** With some words put in, and some of it cut out. */
function edited(text: string, rng: Rng): string {
  let now = text;
  for (let edit = 0; edit <= rng.integer(4); edit++) {
    const at = rng.integer(now.length + 1);
    now = now.slice(0, at) + WORDS[rng.integer(WORDS.length)]! + now.slice(at + rng.integer(4));
  }
  return now;
}
