import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { TextDocument } from 'vscode-languageserver-textdocument';
import { printSparsity } from '../../src/experiment/sparsity.ts';
import { compile } from '../../src/language/check/compile.ts';
import { plansFor } from '../../src/language/plan/plan.ts';
import { searchPlansFor } from '../../src/language/plan/searchPlan.ts';
import { complete } from '../../src/language/server/completion.ts';
import { meaningfulTokens } from '../../src/language/server/semanticTokens.ts';
import { formatted } from '../support/formatted.ts';
import { cursor } from './marked.ts';

// `at: 1.5x faster`: what a model may cost, in the place of a share.

const FOLDER = resolve('/work-folder/project');
const HEAD =
  'model tiny = "m"\ncorpus t = "t"\nmetric mine = W * X\ndefaults { model: tiny evaluate: t calibrate: t }\n';
const inExperiment = (at: string, prune = 'structure(mine)'): string =>
  `${HEAD}experiment e { prune: ${prune}  at: ${at} }\n`;

describe('budgets in a file', () => {
  it.each([
    ['1.5x faster', ['1.5x faster']],
    ['1.5 x  faster decode, 40 % fewer parameters', ['1.5x faster decode', '40% fewer parameters']],
    ['30%, 2 GB, 512MiB', ['30%', '2 GB', '512 MiB']],
  ])('%s', (at, expected) => {
    const document = compile(inExperiment(at));
    expect(document.diagnostics.filter(({ severity }) => severity === 'error')).toEqual([]);
    const [plan] = plansFor(document, 'e', { folder: FOLDER });
    expect(plan!.evaluations.map(({ sparsity }) => printSparsity(sparsity))).toEqual(expected);
  });

  it('is laid out as it is told', () => {
    expect(formatted(compile(inExperiment('1.5 x   faster ,40%  fewer parameters')))).toContain(
      'at: 1.5x faster, 40% fewer parameters',
    );
  });

  it('has one colour', () => {
    const text = inExperiment('1.5x faster decode');
    const found = meaningfulTokens(compile(text)).find(({ start }) => text.startsWith('1.5x', start));
    expect(found).toMatchObject({ type: 'number', end: text.indexOf('decode') + 6 });
  });

  it('is offered with what it means', () => {
    const { text, offset } = cursor(`${HEAD}experiment e { prune: structure(mine) at: |`);
    const offered = complete(compile(text), TextDocument.create('file:///it.prune', 'prune', 1, text), offset);
    expect(offered.map(({ label }) => label)).toEqual(
      expect.arrayContaining(['1.5x faster', '40% fewer parameters', '2 GB']),
    );
    expect(offered.find(({ label }) => label === '1.5x faster')!.detail).toContain('than the dense model');
  });

  it.each<[string, string | undefined]>([
    ['1.5 faster', '1.5x faster'],
    ['40% fewer', '40% fewer parameters'],
    ['2gb', '2 GB'],
    ['500 mib', '500 MiB'],
    ['1.5x', '1.5x faster'],
    ['1.5x fast decoding', '1.5x faster decode'],
    ['0.5x faster', undefined],
    ['3 apples', undefined],
  ])('%s is no budget', (at, meant) => {
    const [problem] = compile(inExperiment(at)).diagnostics;
    expect(problem).toMatchObject({ code: 'sparsity/range' });
    expect(problem!.fixes?.[0]?.edits[0]!.text).toBe(meant);
    if (meant === undefined) expect(problem!.message).toContain('`1.5x faster`');
  });

  it.each<[string, string, string | undefined]>([
    ['a metric', inExperiment('1.5x faster', 'mine'), 'structure(mine)'],
    ['a search for metrics', `${HEAD}search s { at: 2 GB }\n`, undefined],
    ['rates of single weights', `${HEAD}search s { method: evopress target: weights(mine) at: 2 GB }\n`, undefined],
  ])('%s has none, and why', (_, text, fix) => {
    const problem = compile(text).diagnostics.find(({ code }) => code === 'structure/sparsity');
    expect(problem!.message).toMatch(/zeros in their place, which make a model neither faster nor smaller/);
    expect(problem!.fixes?.[0]?.edits[0]!.text).toBe(fix);
  });

  it.each(['evopress', 'policy-gradient'])('reaches the plan of a search by %s', (method) => {
    const document = compile(`${HEAD}search s { method: ${method} at: 1.5x faster }\n`);
    const [plan] = searchPlansFor(document, 's', { folder: FOLDER });
    expect(plan!.sparsity).toEqual({ kind: 'budget', budget: { quantity: 'prefill', times: 1.5 } });
  });
});
