import fc from 'fast-check';
import { TextDocument } from 'vscode-languageserver-textdocument';
import { describe, expect, it } from 'vitest';
import { Rng } from '../../../src/base/rng.ts';
import { compile } from '../../../src/language/check/compile.ts';
import { docComment } from '../../../src/language/syntax/docComment.ts';
import type { CompiledDocument } from '../../../src/language/check/document.ts';
import { formatted } from '../../support/formatted.ts';
import { formatOnType, formatRange } from '../../../src/language/server/formatting.ts';
import { tokensOf } from '../../../src/language/syntax/tokens.ts';
import { isDeclarationKeyword } from '../../../src/language/syntax/words.ts';
import { mutate } from '../mutate.ts';
import { SAMPLE } from '../samples.ts';

const SPACES = { tabSize: 2, insertSpaces: true };

describe('a file is laid out', () => {
  const table: [title: string, text: string, expected: string][] = [
    ['with even blanks', 'metric  a=-W^2*sqrt( X )/(1+W)', 'metric a = -W ^ 2 * sqrt(X) / (1 + W)\n'],
    ['with signs at their numbers', 'metric a = W * - 2 - -X ^ -1', 'metric a = W * -2 - -X ^ -1\n'],
    ['with parameters', 'metric a ( p=1,q = 2 ) = b ( q :p )', 'metric a(p = 1, q = 2) = b(q: p)\n'],
    ['a declaration to a line', 'metric a = W metric b = X', 'metric a = W\nmetric b = X\n'],
    [
      'with names and signs of neighbours below each other',
      'model tiny="m"\ncorpus test = "t"\ncorpus calib="c"\n\nparameter p=1\nmetric a=W\nmetric longer=X',
      'model  tiny  = "m"\ncorpus test  = "t"\ncorpus calib = "c"\n\nparameter p = 1\nmetric a      = W\nmetric longer = X\n',
    ],
    [
      'without aligning what a blank line or comment parts',
      'metric a=W\n\nmetric bc=X\n// c\nmetric def=W',
      'metric a = W\n\nmetric bc = X\n// c\nmetric def = W\n',
    ],
    [
      'without aligning with a name that is much longer',
      'metric a=W\nmetric a_name_that_is_much_longer_than_others=X',
      'metric a = W\nmetric a_name_that_is_much_longer_than_others = X\n',
    ],
    [
      'with the line breaks of a formula',
      'metric a = W\n+X*sqrt(\nW\n)',
      'metric a = W\n  + X * sqrt(\n    W\n  )\n'.replace('    W\n  )', '  W\n)'),
    ],
    [
      'with comments behind code below each other',
      'metric a = W//one\nmetric bc = X    // two',
      'metric a  = W  //one\nmetric bc = X  // two\n',
    ],
    [
      'with at most one empty line',
      '\n\n\nmetric a = W\n\n\n\n// c\n\n\n\nmetric b = X\n\n\n',
      'metric a = W\n\n// c\n\nmetric b = X\n',
    ],
    ['with documentation at its declaration', '  /// doc\n   metric a = W', '/// doc\nmetric a = W\n'],
    ['a block on its line', 'defaults{model:tiny   evaluate :test}', 'defaults { model: tiny  evaluate: test }\n'],
    ['an empty block', 'search s {   }', 'search s {}\n'],
    [
      'a block over several lines',
      'experiment e\n{ model:tiny\n\n\nevaluate:test(blocks:3)  at:50%,2:4\n// c\nprune:a,\nb( 2 ) }',
      'experiment e {\n  model: tiny\n\n  evaluate: test (blocks: 3)  at: 50%, 2:4\n  // c\n  prune: a,\n    b(2)\n}\n',
    ],
    [
      'settings behind a text',
      'defaults { calibrate: calib(samples:3 ,seed : 1) }',
      'defaults { calibrate: calib (samples: 3, seed: 1) }\n',
    ],
    [
      'choices as one word',
      'search s { method:pruner - zero crossover: 1-0.5 }',
      'search s { method: pruner-zero  crossover: 1 - 0.5 }\n',
    ],
    ['with the line ends that it has', 'metric a=W\r\n\r\n\r\nmetric b=X', 'metric a = W\r\n\r\nmetric b = X\r\n'],
    [
      'but for declarations with a syntax error',
      'metric a = (W  *\nmetric b=X\nmetrc  c = W',
      'metric a = (W  *\nmetric b = X\nmetrc  c = W',
    ],
    ['but for blocks with one', 'search s {at:50  %,  }\nmetric b=X', 'search s {at:50  %,  }\nmetric b = X\n'],
    ['nothing to nothing', '  \n ', ''],
  ];
  it.each(table)('%s', (_, text, expected) => {
    expect(formatted(compile(text))).toBe(expected);
    expect(formatted(compile(expected))).toBe(expected);
  });

  it('by the editor’s indentation', () => {
    const text = 'search s {\nfrom: W\n}\n';
    expect(formatted(compile(text), { indent: '\t' })).toBe('search s {\n\tfrom: W\n}\n');
  });
});

describe('laying out', () => {
  it('changes no meaning of files that are right, and has nothing left to do', () => {
    const rng = new Rng(11);
    for (let i = 0; i < 30; i++) examine(jittered(SAMPLE, rng), true);
  });

  it('changes no meaning of files with mistakes', () => {
    const rng = new Rng(12);
    for (let i = 0; i < 80; i++) examine(mutate(SAMPLE, rng), false);
  });

  it('changes nothing but blanks in any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 100 }), (text) => {
        examine(`metric a = W\n${text}`, false);
      }),
      { numRuns: 60, seed: 13 },
    );
  });

  it('takes time in proportion to the text', () => {
    const units = ['//\n', 'metric a = W //c\n', 'experiment e { // c\n // d\n model: tiny }\n', 'seed: 1 '];
    for (const unit of units) {
      const document = compile(
        `${unit === 'seed: 1 ' ? 'search s { ' : ''}${unit.repeat(Math.floor(50_000 / unit.length))}`,
      );
      const start = performance.now();
      formatted(document);
      expect(performance.now() - start, unit).toBeLessThan(2000);
    }
  });
});

describe('a part is laid out', () => {
  it.each([
    ['metric a=W\n[metric b=X]\nmetric c=W', 'metric a=W\nmetric b = X\nmetric c=W'],
    ['metric a=W\n[metric b=X\n]metric c=W', 'metric a=W\nmetric b = X\nmetric c=W'],
    ['search s {\nat:50%\nf[]rom:W\n}', 'search s {\nat:50%\n  from: W\n}'],
  ])('where a range is selected: %j', (marked, expected) => {
    const [before, inside, after] = marked.split(/[[\]]/) as [string, string, string];
    const { document, source } = open(before + inside + after);
    const start = source.positionAt(before.length);
    const end = source.positionAt(before.length + inside.length);
    expect(TextDocument.applyEdits(source, formatRange(document, source, { start, end }, SPACES))).toBe(expected);
  });

  it.each([
    ['metric a=W\nmetric bc=X\n|', '\n', 'metric a  = W\nmetric bc = X\n'],
    ['metric z=W\n\nmetric a=W\n|\nmetric b=X', '\n', 'metric z=W\n\nmetric a = W\n\nmetric b=X'],
    ['experiment e{\nmodel:tiny\n  |\n}', '\n', 'experiment e {\n  model: tiny\n  \n}'],
    ['metric a=(W\n|', '\n', 'metric a=(W\n'],
    ['metric z=W\nsearch s{at:50%}|\nmetric b=X', '}', 'metric z=W\nsearch s { at: 50% }\nmetric b=X'],
    ['// }|\nmetric b=X', '}', '// }\nmetric b=X'],
  ])('as it is typed: %j', (marked, character, expected) => {
    const offset = marked.indexOf('|');
    const { document, source } = open(marked.replace('|', ''));
    const edits = formatOnType(document, source, source.positionAt(offset), character, SPACES);
    expect(TextDocument.applyEdits(source, edits)).toBe(expected);
  });
});

function open(text: string): { document: CompiledDocument; source: TextDocument } {
  return { document: compile(text), source: TextDocument.create('file:///a.prune', 'prune', 1, text) };
}

/** What it parses to is known already. */
const KNOWN = compile(SAMPLE);

/** The same tokens, the same meaning, the same mistakes, and the second time nothing to do. */
function examine(text: string, isRight: boolean): void {
  const before = compile(text, KNOWN);
  if (isRight)
    expect(
      before.diagnostics.map(({ message }) => message),
      text,
    ).toEqual([]);
  const laidOut = formatted(before);
  const after = compile(laidOut, before);
  const told = JSON.stringify(text);
  expect(words(laidOut), told).toEqual(words(text));
  expect(meaning(after), told).toEqual(meaning(before));
  expect(formatted(after), told).toBe(laidOut);
}

function words(text: string): string[] {
  return tokensOf(text).map((token) => (token.kind === 'comment' ? token.text.trimEnd() : token.text));
}

function meaning({ declarations, diagnostics, text }: CompiledDocument): unknown {
  const said = declarations.map(({ start, end, nameSpan, ...rest }) => {
    expect(end).toBeGreaterThan(nameSpan.start);
    return { ...rest, documentation: docComment(text, start) };
  });
  return JSON.stringify([said, diagnostics.map(({ code }) => code)]);
}

/** The same tokens with other blanks and comments between them, wherever the language allows some. */
function jittered(text: string, rng: Rng): string {
  const tokens = tokensOf(text);
  let result = '';
  tokens.forEach((token, i) => {
    const before = tokens[i - 1];
    const isDoc = before?.text.startsWith('///') === true;
    const follows = /^metric|^experiment|^\/\/\//.test(token.text);
    if (before?.kind === 'comment') result += isDoc && follows ? '\n' : BREAKS[rng.integer(BREAKS.length)]!;
    else if (i > 0) {
      // A declaration begins a line, its name stands on it, and a property is `NAME:` on one line.
      const isHead = token.text === ':' || isDeclarationKeyword(before!.text) || isDeclarationKeyword(token.text);
      const isStart = isDeclarationKeyword(token.text) && tokens[i + 1]?.text !== ':';
      const isChoice = token.text === '-' || before!.text === '-';
      const blanks = isStart ? ['\n'] : BLANKS.slice(0, isHead ? 6 : isChoice ? 9 : BLANKS.length);
      result += blanks[rng.integer(blanks.length)]! || (mustPart(before!.text, token.text) ? ' ' : '');
    }
    result += token.text;
  });
  return result;
}

const BLANKS = ['', '', ' ', ' ', '  ', '\t', '\n', '\n\n\n', ' \n  ', ' // c\n', '\n// own line\n'];
const BREAKS = ['\n', '\n\n\n', ' \n\t', '\n// another\n'];

/** Whether two tokens without a blank between them could be read as one. */
function mustPart(a: string, b: string): boolean {
  return /[\w.%:]$/.test(a) && /^[\w.%:]/.test(b);
}
