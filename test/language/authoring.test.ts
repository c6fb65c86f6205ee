import { TextDocument } from 'vscode-languageserver-textdocument';
import { describe, expect, it } from 'vitest';
import { compile } from '../../src/language/check/compile.ts';
import { codeActions } from '../../src/language/server/problems.ts';
import { meaningfulTokens, SEMANTIC_LEGEND, semanticTokens } from '../../src/language/server/semanticTokens.ts';
import { signatureHelp } from '../../src/language/server/signature.ts';
import { cursor } from './marked.ts';
import { SAMPLE } from './samples.ts';

const HEAD =
  'corpus calib = "c"\n/// Norm of the inputs\nmetric scaled(alpha = 0.5, beta = 1) = W * X ^ alpha * beta\n';

const ROWS = 'field: "", rows: whole, join: blank-line, first: 0';

describe('signature help', () => {
  const table: [text: string, label: string | undefined, active: string | undefined][] = [
    ['metric a = sqrt(|', 'sqrt(x)', 'x'],
    ['metric a = div(W, |', 'div(x, y)', 'y'],
    ['metric a = div(|W, X)', 'div(x, y)', 'x'],
    ['metric a = div(W, sqrt(X|))', 'sqrt(x)', 'x'],
    ['metric a = div(W, sqrt(X)|)', 'div(x, y)', 'y'],
    ['metric a = div(W, (W + |X))', 'div(x, y)', 'y'],
    ['metric a = div(W // , a comment\n, |X)', 'div(x, y)', 'y'],
    ['metric a = sqrt(W, |', 'sqrt(x)', undefined],
    [`${HEAD}metric a = scaled(|`, 'scaled(alpha = 0.5, beta = 1)', 'alpha = 0.5'],
    [`${HEAD}metric a = scaled(2, |`, 'scaled(alpha = 0.5, beta = 1)', 'beta = 1'],
    [`${HEAD}metric a = scaled(beta: |`, 'scaled(alpha = 0.5, beta = 1)', 'beta = 1'],
    [`${HEAD}metric a = scaled(beta: 3, alpha: 1|)`, 'scaled(alpha = 0.5, beta = 1)', 'alpha = 0.5'],
    [`${HEAD}experiment e { prune: W, scaled(|`, 'scaled(alpha = 0.5, beta = 1)', 'alpha = 0.5'],
    [
      `${HEAD}search s { calibrate: calib (samples: 3, seed: |`,
      `calib (samples: 128, length: 0, offsets: random, seed: 0, ${ROWS})`,
      'seed: 0',
    ],
    [`${HEAD}search s { evaluate: calib (|`, `calib (blocks: 0, length: 0, ${ROWS})`, 'blocks: 0'],
    [
      `${HEAD}experiment e { gradients: calib (offsets: |`,
      `calib (samples: 0, length: 0, offsets: calibration, ${ROWS})`,
      'offsets: calibration',
    ],
    [`${HEAD}search s { test: "t" (join: |`, `"t" (${ROWS})`, 'join: blank-line'],
    ['corpus c = "x" (rows: wikitext, |', `"x" (${ROWS})`, 'rows: whole'],
    ['corpus c = "x" (first: |', `"x" (${ROWS})`, 'first: 0'],
    ['metric a = W (group: |', 'metric (group: row)', 'group: row'],
    [`${HEAD}experiment e { prune: scaled(2) (group: |`, 'metric (group: row)', 'group: row'],
    ['metric a = W * |X', undefined, undefined],
    ['metric a = (W + |X)', undefined, undefined],
    ['metric a = sqrt(W) * |X', undefined, undefined],
    ['metric a(p = |1) = W', undefined, undefined],
    ['metric a = sqrt(W // co|mment', undefined, undefined],
    ['model m = "sqrt(|', undefined, undefined],
    ['metric a = tnah(|', undefined, undefined],
    ['|', undefined, undefined],
  ];
  it.each(table)('%j', (marked, label, active) => {
    const { document, offset } = cursor(marked);
    const help = signatureHelp(document, offset);
    const signature = help?.signatures[0];
    expect(signature?.label).toBe(label);
    const parameter = signature?.parameters?.[help?.activeParameter ?? -1]?.label as [number, number] | undefined;
    expect(parameter && signature?.label.slice(...parameter)).toBe(active);
  });

  it('says what the operation or metric does', () => {
    const documentation = (marked: string): unknown => {
      const { document, offset } = cursor(marked);
      return signatureHelp(document, offset)?.signatures[0]?.documentation;
    };
    expect(documentation('metric a = div(|')).toMatchObject({ value: expect.stringContaining('Frobenius') as string });
    expect(documentation(`${HEAD}metric a = scaled(|`)).toMatchObject({ value: 'Norm of the inputs' });
  });
});

describe('semantic tokens', () => {
  it('say what each name, number and keyword is', () => {
    const text = `model m = "m"
parameter half = 0.5 // half
metric a(p = half) = -W * sqrt(X) ^ p
experiment e { model: m prune: a(p: 2) at: 50%, 2:4 calibration: one-shot }
search s { from: a operations: mul method: pruner-zero }`;
    const told = meaningfulTokens(compile(text)).map(({ start, end, type, modifiers }) =>
      [text.slice(start, end), type, ...modifiers].join(' '),
    );
    expect(told).toEqual([
      'model keyword',
      'm variable readonly declaration',
      'parameter keyword',
      'half variable readonly declaration',
      '0.5 number',
      'metric keyword',
      'a function declaration',
      'p parameter declaration',
      'half variable readonly',
      'W variable readonly defaultLibrary',
      'sqrt function defaultLibrary',
      'X variable readonly defaultLibrary',
      'p parameter',
      'experiment keyword',
      'e class declaration',
      'model property',
      'm variable readonly',
      'prune property',
      'a function',
      'p parameter',
      '2 number',
      'at property',
      '50% number',
      '2:4 number',
      'calibration property',
      'one-shot enumMember',
      'search keyword',
      's class declaration',
      'from property',
      'a function',
      'operations property',
      'mul function defaultLibrary',
      'method property',
      'pruner-zero enumMember',
    ]);
  });

  it('come in the protocol’s form, whole or for a range', () => {
    const source = TextDocument.create('file:///a.prune', 'prune', 1, SAMPLE);
    const { data } = semanticTokens(compile(SAMPLE), source);
    expect(data.length % 5).toBe(0);
    // `model` in the second line, then `tiny` in the same.
    expect(data.slice(0, 5)).toEqual([1, 0, 5, SEMANTIC_LEGEND.tokenTypes.indexOf('keyword'), 0]);
    expect(data.slice(5, 8)).toEqual([0, 7, 4]);
    const range = { start: { line: 2, character: 0 }, end: { line: 2, character: 80 } };
    expect(semanticTokens(compile(SAMPLE), source, range).data).toHaveLength(2 * 5);
  });
});

describe('quick fixes', () => {
  it.each([
    ['metric a = tn|ah(W) - X', ['Replace with `tanh`']],
    ['metric a = mm|s(W * X)', ['Remove `mms`']],
    ['metric a = di|v(W, X) - 1', ['Divide elementwise: `/`']],
    ['corpus test = "t"\nsearch s { evaluate: te|ts }', ['Replace with `test`', 'Declare `corpus tets = "path"`']],
    ['metric a = W', []],
  ])('%j', (marked, titles) => {
    const { document, source, offset } = cursor(marked);
    const position = source.positionAt(offset);
    const actions = codeActions(document, source, { start: position, end: position });
    expect(actions.map(({ title }) => title)).toEqual(titles);
  });
});
