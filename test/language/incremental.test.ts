import { isDeepStrictEqual } from 'node:util';
import { TextDocument } from 'vscode-languageserver-textdocument';
import { describe, expect, it } from 'vitest';
import { EspalierError } from '../../src/base/errors.ts';
import { Rng } from '../../src/base/rng.ts';
import { compile } from '../../src/language/check/compile.ts';
import type { CompiledDocument } from '../../src/language/check/document.ts';
import { sitesOf } from '../../src/language/check/sites.ts';
import { plansFor } from '../../src/language/plan/plan.ts';
import { searchPlansFor } from '../../src/language/plan/searchPlan.ts';
import { parsePieces } from '../../src/language/syntax/pieces.ts';
import type { ParsedFile } from '../../src/language/syntax/pieces.ts';
import { outline } from '../../src/language/server/outline.ts';
import { changedOutline, outlineChange } from '../../src/language/server/outlineChange.ts';
import type { OutlineParams } from '../../src/language/server/messages.ts';
import { lspDiagnostics } from '../../src/language/server/problems.ts';
import { documentSymbols } from '../../src/language/server/symbols.ts';
import { mutate, WORDS } from './mutate.ts';
import { SAMPLE } from './samples.ts';

/** Metrics that use each other, some of them twice, with all that can stand around them. */
const METRICS = `// What is tried
model tiny = "models/tiny"
corpus test = "test.txt"
parameter half = 0.5
/// Wanda
metric wanda = abs(W) * sqrt(X)
metric scaled(alpha = half) = wanda ^ alpha
metric twice = wanda + wanda
  metric again = abs(W) * sqrt(X) metric close = scaled(alpha: 0.7)
metric rooted = sqrt(wanda * wanda) (group: layer)
metric wanda = X
metrc misspelt = W
metric unknown = tnah(wnada)
metric loop = pool
metric pool = loop
experiment halves { model: tiny evaluate: test calibrate: test prune: wanda, scaled(0.3), close at: 50% }
search evolved { model: tiny evaluate: test test: test calibrate: test from: wanda operands: W, X }
metric last = rooted * half
`;

/** More of them than are told, and a text longer than what is compared at once. */
const ALIKE = [
  METRICS,
  ...Array.from({ length: 120 }, (_, i) => `metric alike${i} = abs(W) * sqrt(X) * ${i + 1}`),
].join('\n');

type Edit = (text: string, rng: Rng) => string;

/** What someone who writes does to a file. */
const EDITS: Readonly<Record<string, Edit>> = {
  type: (text, rng) => put(text, rng.integer(text.length + 1), 0, pick('a W 1 . = ( { " / \n'.split(' '), rng)),
  'type a word': (text, rng) => put(text, rng.integer(text.length + 1), 0, pick(WORDS, rng)),
  delete: (text, rng) => put(text, rng.integer(text.length + 1), 1 + rng.integer(3), ''),
  replace: (text, rng) => put(text, rng.integer(text.length + 1), rng.integer(60), pick(WORDS, rng)),
  'comment out': (text, rng) => put(text, lineAt(text, rng), 0, '//'),
  'open a brace': (text, rng) => put(text, lineAt(text, rng), 0, pick(['{', '}', 'search s {', '(', '"'], rng)),
  'join lines': (text, rng) => put(text, Math.max(0, lineAt(text, rng) - 1), 1, ' '),
  'repeat a line': (text, rng) => {
    const from = lineAt(text, rng);
    return put(text, lineAt(text, rng), 0, text.slice(from, text.indexOf('\n', from) + 1));
  },
  'remove lines': (text, rng) => {
    const [from, to] = [lineAt(text, rng), lineAt(text, rng)];
    return to - from > 200 ? text : put(text, from, Math.max(0, to - from), '');
  },
  rename: (text, rng) => {
    const [from, to] = [pick(NAMES, rng), pick([...NAMES, 'fresh'], rng)];
    const at = text.indexOf(from, rng.integer(text.length));
    return at < 0 ? text : put(text, at, from.length, to);
  },
  'rename everywhere': (text, rng) => text.replaceAll(pick(NAMES, rng), pick([...NAMES, 'fresh'], rng)),
  several: mutate,
};

const NAMES = ['wanda', 'scaled', 'half', 'rooted', 'close', 'loop', 'tiny', 'test', 'metric', 'halves'];

describe('a file that is edited reads as one that was never read before', () => {
  it.each([
    ['metrics', METRICS, 600],
    ['everything', SAMPLE, 250],
    ['many that rank alike', ALIKE, 100],
  ])('%s', (_, first, edits) => {
    const rng = new Rng(edits);
    let text = first;
    let document: CompiledDocument | undefined;
    let told: OutlineParams | undefined;
    let held: OutlineParams | undefined;
    const said: string[] = [];
    for (let i = 0; i < edits; i++) {
      // Now and then what was done is undone at once.
      const before = text;
      const name = pick(Object.keys(EDITS), rng);
      for (const next of rng.integer(4) === 0 ? [EDITS[name]!(text, rng), before] : [EDITS[name]!(text, rng)]) {
        text = next;
        said.push(name);
        document = compile(text, document);
        expectSame(document, said);
        const source = TextDocument.create('file:///a.prune', 'prune', said.length, text);
        const outlined = outline(document, source);
        held = changedOutline(held, outlineChange(told, outlined));
        told = outlined;
        if (!isDeepStrictEqual(held, outlined)) expect(held).toEqual(outlined);
      }
      if (rng.integer(25) === 0 || text.length > 3 * first.length) text = first;
    }
  });
});

it('a text that is edited is cut as one that was never cut before', () => {
  const rng = new Rng(7);
  const words = [
    'metric',
    'model',
    'metrc',
    'a',
    'b',
    ' ',
    ' ',
    ' ',
    '=',
    '{',
    '}',
    '(',
    ')',
    '\n',
    '"',
    '//',
    '5',
    ':',
  ];
  const some = (most: number) => Array.from({ length: rng.integer(most) }, () => pick(words, rng)).join('');
  for (let i = 0; i < 3000; i++) {
    let file = parsePieces(some(60));
    for (let j = 0; j < 6; j++) {
      const text = put(file.text, rng.integer(file.text.length + 1), rng.integer(4), some(3));
      file = parsePieces(text, file);
      expect(placesOf(file), JSON.stringify(text)).toEqual(placesOf(parsePieces(text)));
    }
  }
});

// What a piece begins with may depend on two words behind.
it.each([
  ['metric a = W\nmetrc metric a = X', 'metric a = W\nmetrc metric = X'],
  ['metric a = W\nmetric model', 'metric a = W\nmetric : model'],
  ['metric a = { metric metric b = W', 'metric a = { metric metric = W'],
])('%j and %j are cut the same after each other', (before, after) => {
  for (const [first, second] of [
    [before, after],
    [after, before],
  ] as const) {
    expect(placesOf(parsePieces(second, parsePieces(first)))).toEqual(placesOf(parsePieces(second)));
  }
});

function placesOf({ declarations }: ParsedFile): readonly string[] {
  return declarations.map(({ keyword, misspelt, start, end }) => `${start}–${end} ${keyword ?? ''} ${misspelt ?? ''}`);
}

function expectSame(document: CompiledDocument, said: readonly string[]): void {
  const fresh = compile(document.text);
  const source = TextDocument.create('file:///a.prune', 'prune', 1, document.text);
  const all = (of: CompiledDocument) => ({
    parsed: of.parsed,
    diagnostics: of.diagnostics,
    declarations: of.declarations,
    told: lspDiagnostics(of, source),
    symbols: documentSymbols(of, source),
    sites: sitesOf(of),
    outline: outline(of, source),
    plans: attempt(() => plansFor(of, undefined, { folder: '/' })),
    searches: attempt(() => searchPlansFor(of, undefined, { folder: '/', prompts: PROMPTS })),
  });
  const [found, expected] = [all(document), all(fresh)];
  if (isDeepStrictEqual(found, expected)) return;
  expect(found, `${said.slice(-3).join(', ')}: ${JSON.stringify(document.text)}`).toEqual(expected);
}

const PROMPTS = { initialise: 'a', mutate: 'b', cross: 'c', propose: 'c', again: 'd' };

function attempt<Value>(work: () => Value): Value | string {
  try {
    return work();
  } catch (thrown) {
    if (thrown instanceof EspalierError) return `${thrown.code}: ${thrown.message}`;
    throw thrown;
  }
}

function put(text: string, at: number, length: number, instead: string): string {
  return text.slice(0, at) + instead + text.slice(at + length);
}

function pick<Item>(items: readonly Item[], rng: Rng): Item {
  return items[rng.integer(items.length)]!;
}

/** Where some line begins. */
function lineAt(text: string, rng: Rng): number {
  return text.lastIndexOf('\n', rng.integer(text.length + 1)) + 1;
}
