import { describe, expect, it } from 'vitest';
import { compile } from '../../src/language/check/compile.ts';
import { plansFor, Planner } from '../../src/language/plan/plan.ts';
import { searchPlansFor } from '../../src/language/plan/searchPlan.ts';
import { complete } from '../../src/language/server/completion.ts';
import { meaningfulTokens } from '../../src/language/server/semanticTokens.ts';
import { parseDeclaration, parseProperty } from '../../src/language/syntax/parse.ts';
import { formatted } from '../support/formatted.ts';
import { checkMarked, cursor, whole } from './marked.ts';

// Rows of data sets, a text of its own for G, and comparison groups of single metrics.

const HEAD = 'model tiny = "m"\ncorpus test = "t"\ncorpus calib = "c"\nmetric wanda = W * sqrt(X)\n';

describe('settings behind the path of a corpus', () => {
  it.each([
    ['corpus c = "x" (field: "text", join: space, first: 10 * 110)', { field: 'text', join: 'space', first: 1100 }],
    ['corpus c = "x"(rows:wikitext)', { rows: 'wikitext' }],
    [
      'corpus c = "x" // (rows: lines)\n  ( // of its rows\n  join: blank-line,\n  field: "//"\n)',
      { join: 'blank-line', field: '//' },
    ],
    ['corpus c = "x" ()', undefined],
    ['corpus c = "x"', undefined],
    ['parameter half = 550\ncorpus c = "x" (first: 2 * half)', { first: 1100 }],
  ])('%s', (text, rows) => {
    const { diagnostics, declarations } = compile(text);
    expect(diagnostics).toEqual([]);
    const corpus = declarations.find(({ name }) => name === 'c');
    expect(corpus).toMatchObject({ kind: 'corpus', path: 'x', broken: false });
    expect(corpus && 'rows' in corpus ? corpus.rows : undefined).toEqual(rows);
  });

  const mistakes: Record<string, string> = {
    'a parenthesis too few': `
corpus c = "x" (
               ^ syntax/expected`,
    'a half of a setting': `
corpus c = "x" (field: )
                       ^ syntax/expected`,
    'no path': `
corpus c = (field: "a")
           ^ syntax/expected expected a path in quotes`,
    'of a model': `
model m = "x" (field: "a")
              ^ syntax/expected`,
    'what no rows have': `
corpus c = "x" (feild: "a", blocks: 3, join: comma, first: -1, rows: "lines", field: text)
                ^^^^^ call/argument \`feild\` cannot stand here, only \`field\`, \`rows\`, \`join\`, \`first\`: did you mean \`field\`?
                            ^^^^^^ call/argument
                                             ^^^^^ property/type \`join\` is one of \`blank-line\`, \`line\`, \`space\`, \`nothing\`
                                                           ^^ property/range from 0
                                                                     ^^^^^^^ property/type \`rows\` is one of
                                                                                     ^^^^ property/type text in quotes`,
    'a setting said twice': `
corpus c = "x" (join: space, join: line)
                             ^^^^ property/duplicate \`join\` is said twice
experiment e { evaluate: "y" (field: "a", field: "b") }
                                          ^^^^^ property/duplicate`,
    'a value without its name': `
corpus c = "x" (1100)
                ^^^^ call/argument stand settings by name`,
  };
  it.each(Object.entries(mistakes))('%s is one mistake in its place', (_, text) => {
    expect(whole(checkMarked(`${text}\nmetric after = W - 2 * X\n`))).toContain('after');
  });
});

describe('comparison groups of single metrics', () => {
  const plan = (properties: string, more = '') => {
    const document = compile(
      `${HEAD}${more}\nexperiment e { model: tiny evaluate: test calibrate: calib at: 50% ${properties} }`,
    );
    expect(document.diagnostics.filter(({ severity }) => severity === 'error')).toEqual([]);
    return plansFor(document, 'e', { folder: '/' })[0]!.evaluations.map((evaluation) => [
      evaluation.metric,
      'group' in evaluation ? evaluation.group : undefined,
    ]);
  };

  it.each<[properties: string, more: string, expected: (string | undefined)[][]]>([
    [
      'prune: magnitude, wanda',
      'metric magnitude = W (group: layer)',
      [
        ['magnitude', 'layer'],
        ['wanda', undefined],
      ],
    ],
    [
      'prune: wanda, wanda (group: layer)',
      '',
      [
        ['wanda', undefined],
        ['wanda (group: layer)', 'layer'],
      ],
    ],
    ['prune: magnitude (group: row)', 'metric magnitude = W (group: layer)', [['magnitude (group: row)', 'row']]],
    [
      'prune: W * X(group: layer), scaled(2) (group: row)',
      'metric scaled(p = 1) = W ^ p',
      [
        ['W * X (group: layer)', 'layer'],
        ['scaled(2) (group: row)', 'row'],
      ],
    ],
    ['prune: weights(wanda (group: layer), [20%, 40%])', '', [['wanda (group: layer) [0.2, 0.4]', 'layer']]],
    ['prune: magnitude * 2', 'metric magnitude = W (group: layer)', [['magnitude * 2', undefined]]],
    ['prune: W // (group: row)\n (group: // whole\n layer)', '', [['W (group: layer)', 'layer']]],
  ])('%s %s', (properties, more, expected) => {
    expect(plan(properties, more)).toEqual(
      expected.map(([metric, group]) => [expect.stringContaining(metric!.split(' [')[0]!) as string, group]),
    );
  });

  const mistakes: Record<string, string> = {
    'no group': `
metric a = W * X (group:
                       ^ syntax/expected`,
    'no end': `
metric a = W * X (group: layer
                         ^^^^^ syntax/expected`,
    'another word': `
metric a = W * X (group: column)
                         ^^^^^^ property/type \`group\` is one of \`row\`, \`layer\``,
    'a misspelt one in a list': `
experiment e { model: tiny evaluate: test calibrate: calib at: 50% prune: wanda (group: lyer) }
                                                                                        ^^^^ property/type did you mean \`layer\`?`,
    'behind what ranks no single weights': `
experiment e { model: tiny evaluate: test calibrate: calib at: 50% prune: structure(wanda (group: layer)), wanda }
                                                                                                  ^^^^^ call/argument \`group\` stands behind a metric of single weights
search s { model: tiny evaluate: test calibrate: calib from: wanda (group: layer) }
                                                                           ^^^^^ call/argument
experiment f { model: tiny evaluate: test (group: layer) calibrate: calib at: 50% prune: wanda samples: 3 (group: row) }
                                                  ^^^^^ call/argument
                                                                                                                  ^^^ call/argument`,
    'as a parameter': `
metric a(group = 2) = W ^ 2
         ^^^^^ name/reserved \`group\` says what weights are compared over
         ^^^^^ name/unused`,
  };
  it.each(Object.entries(mistakes))('%s is one mistake in its place', (_, marked) => {
    expect(whole(checkMarked(`${HEAD}${marked.trimStart()}\nmetric after = W - 2 * X\n`))).toContain('after');
  });

  it('decide what a metric is evaluated as, and what is told to rank alike', () => {
    const key = (text: string): string => {
      const document = compile(HEAD + text);
      return new Planner(document).planKey(document.declarations.find(({ name }) => name === 'a')!);
    };
    const plain = key('metric a = W experiment e { model: tiny evaluate: test prune: a at: 50% }');
    const grouped = key('metric a = W (group: layer) experiment e { model: tiny evaluate: test prune: a at: 50% }');
    expect(grouped).not.toBe(plain);
    const codes = (text: string) => compile(text).diagnostics.map(({ code }) => code);
    expect(codes('metric a = W\nmetric b = abs(W) (group: layer)\n')).not.toContain('metric/same-ranking');
    expect(codes('metric a = W (group: layer)\nmetric b = abs(W) (group: layer)\n')).toContain('metric/same-ranking');
  });

  it('a metric, a parameter and an argument’s value may be called group', () => {
    const text = `parameter group = 2\nmetric scaled(p = 1) = W ^ p * X\n${HEAD}experiment e { model: tiny evaluate: test calibrate: calib at: 50% prune: scaled(p: group), scaled(group) }`;
    expect(compile(text).diagnostics.filter(({ severity }) => severity === 'error')).toEqual([]);
  });
});

describe('in syntax', () => {
  it('what is not whole leaves names on both sides', () => {
    const { syntax, problem } = parseProperty('prune: a (group: ), b (group: layer)');
    expect(problem?.code).toBe('syntax/expected');
    expect(syntax.values.map((value) => value.kind === 'name' && [value.name, value.group?.text])).toEqual([
      ['a', undefined],
      ['b', 'layer'],
    ]);
    expect(parseDeclaration('corpus c = "x" (a: 1, b', 'corpus').syntax).toMatchObject({
      path: { text: 'x', arguments: [{ name: { text: 'a' } }, { name: undefined }] },
    });
  });
});

describe('a text of its own for G', () => {
  it.each([
    [
      'gradients: g (samples: 8, length: 64, offsets: python)',
      { gradients: '/g', settings: { gradientSamples: 8, gradientLength: 64, gradientOffsets: 'python' } },
    ],
    [
      'gradients: "hf:o/n/c:train" (rows: lines)',
      { gradients: 'hf:o/n/c:train', rows: { gradients: { rows: 'lines' } } },
    ],
    ['gradientLength: 64', { settings: { gradientLength: 64 } }],
  ])('%s', (properties, expected) => {
    const document = compile(
      `${HEAD}corpus g = "g"\nexperiment e { model: tiny evaluate: test calibrate: calib prune: W * G at: 50% ${properties} }`,
    );
    expect(document.diagnostics).toEqual([]);
    expect(plansFor(document, 'e', { folder: '/' })[0]).toMatchObject(expected);
  });

  it('is told where nothing takes gradients, once', () => {
    checkMarked(`${HEAD}experiment e { model: tiny evaluate: test calibrate: calib gradients: calib (samples: 3) prune: wanda at: 50% }
                                                           ^^^^^^^^^ experiment/no-effect takes no gradients
search s { model: tiny evaluate: test calibrate: calib gradients: calib (samples: 3) operands: W, X }
                                                       ^^^^^^^^^ search/no-effect nothing takes gradients
search t { method: self-pruner model: tiny evaluate: test calibrate: calib at: 30% gradientSamples: 3 }
                                                                                                    ^ search/no-effect nothing takes gradients`);
  });

  it('in every search that has one', () => {
    for (const method of ['pruner-zero', 'random', 'self-pruner', 'evopress']) {
      const text = `${HEAD}search s { method: ${method} model: tiny evaluate: test calibrate: calib at: 30% gradients: "g" (rows: lines) test: "u" (first: 3) }`;
      const [plan] = searchPlansFor(compile(text), 's', {
        folder: '/',
        prompts: { initialise: '', mutate: '', cross: '', propose: '', again: '' },
      });
      expect(plan).toMatchObject({
        gradients: '/g',
        test: '/u',
        rows: { gradients: { rows: 'lines' }, test: { first: 3 } },
      });
    }
  });
});

describe('in the editor', () => {
  it.each([
    ['corpus c = "x"(rows:wikitext,join :blank - line)', 'corpus c = "x" (rows: wikitext, join: blank-line)\n'],
    ['corpus c = "x" (\nrows: lines\n)', 'corpus c = "x" (\n  rows: lines\n)\n'],
    ['metric a = W(group :layer)', 'metric a = W (group: layer)\n'],
    [
      'experiment e { prune: W(group:layer), a(2)(group: row) }',
      'experiment e { prune: W (group: layer), a(2) (group: row) }\n',
    ],
    [
      'experiment e { calibrate: c(offsets: documents - once, first: 3 - 1) }',
      'experiment e { calibrate: c (offsets: documents-once, first: 3 - 1) }\n',
    ],
    [
      'corpus c = "x" (rows: lines) // one\ncorpus longer = "y" // two\n',
      'corpus c      = "x" (rows: lines)  // one\ncorpus longer = "y"                // two\n',
    ],
  ])('is laid out: %j', (text, expected) => {
    expect(formatted(compile(text))).toBe(expected);
    expect(formatted(compile(expected))).toBe(expected);
  });

  const labels = (marked: string): string[] => {
    const { document, source, offset } = cursor(marked);
    return complete(document, source, offset).map(({ label }) => label);
  };

  it.each([
    ['corpus c = "x" (|', ['field', 'rows', 'join', 'first']],
    ['corpus c = "x" (field: "a", jo|', ['rows', 'join', 'first']],
    ['corpus c = "x" (rows: |', ['whole', 'wikitext', 'lines']],
    ['corpus c = "x" (rows: lines|', ['whole', 'wikitext', 'lines']],
    ['corpus c = "x" (rows: lines |', []],
    ['corpus c = "x" (rows: lines) |', []],
    ['metric a = W (group: |', ['row', 'layer']],
    ['metric a = W\nexperiment e { prune: a (group: |', ['row', 'layer']],
    [
      'experiment e { protocol: |',
      ['wanda', 'sparsegpt', 'pruner-zero', 'flap', 'llm-pruner', 'self-pruner', 'policy-gradient'],
    ],
  ])('is completed: %s', (marked, expected) => {
    expect(labels(marked)).toEqual(expected);
  });

  it('offers a group behind what can have one', () => {
    expect(labels('metric a = W (|')).toContain('group:');
    expect(labels('metric a = W\nexperiment e { prune: a (|')).toContain('group:');
    expect(labels('metric a = sqrt(|')).not.toContain('group:');
  });

  it('colours what is chosen', () => {
    const text =
      'corpus c = "x" (rows: lines)\nmetric a = W (group: layer)\nexperiment e { calibrate: c (offsets: documents-once) prune: a (group: row) protocol: llm-pruner }';
    const chosen = meaningfulTokens(compile(text)).filter(({ type }) => type === 'enumMember');
    expect(chosen.map(({ start, end }) => text.slice(start, end))).toEqual([
      'lines',
      'layer',
      'documents-once',
      'row',
      'llm-pruner',
    ]);
  });
});
