import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EspalierError } from '../../src/base/errors.ts';
import { Rng } from '../../src/base/rng.ts';
import { planSchema } from '../../src/experiment/planSchema.ts';
import { compile, parseExpression } from '../../src/language/check/compile.ts';
import type { CompiledDocument } from '../../src/language/check/document.ts';
import { Planner, plansFor } from '../../src/language/plan/plan.ts';
import { searchPlanFrom, searchPlansFor } from '../../src/language/plan/searchPlan.ts';
import { complete } from '../../src/language/server/completion.ts';
import { formatDocument } from '../../src/language/server/formatting.ts';
import { hover, rename } from '../../src/language/server/navigation.ts';
import { outline } from '../../src/language/server/outline.ts';
import { codeActions, lspDiagnostics } from '../../src/language/server/problems.ts';
import { meaningfulTokens } from '../../src/language/server/semanticTokens.ts';
import { signatureHelp } from '../../src/language/server/signature.ts';
import { documentSymbols, foldingRanges } from '../../src/language/server/symbols.ts';
import { sitesOf } from '../../src/language/check/sites.ts';
import { depthOf, sizeOf } from '../../src/metric/measure.ts';
import { printInfix, printPrefix } from '../../src/metric/print.ts';
import { MAX_EXPRESSION_DEPTH, MAX_EXPRESSION_NODES } from '../../src/metric/limits.ts';
import { TextDocument } from 'vscode-languageserver-textdocument';
import { anyExpression } from '../metric/arbitraryExpression.ts';
import { mutate, WORDS } from './mutate.ts';
import { SAMPLE } from './samples.ts';
import { searchPlanSchema } from '../../src/search/schema.ts';

/** Milliseconds that no small text may take, with room for a busy machine. */
const BOUND = 1500;

describe('no text makes the language fail', () => {
  it('mutated files', () => {
    const rng = new Rng(1);
    let previous: CompiledDocument | undefined;
    for (let i = 0; i < 450; i++) {
      const text = mutate(SAMPLE, rng);
      const document = examine(text, previous);
      // What was read before must make no difference to what is read.
      if (i % 5 === 0) {
        const fresh = compile(text);
        expect(document.diagnostics).toEqual(fresh.diagnostics);
        expect(document.declarations).toEqual(fresh.declarations);
      }
      previous = document;
    }
  });

  it('files of random words of the language', () => {
    const rng = new Rng(2);
    for (let i = 0; i < 1000; i++) {
      const words = Array.from({ length: rng.integer(60) }, () => WORDS[rng.integer(WORDS.length)]!);
      examine(words.join(rng.integer(2) === 0 ? ' ' : ''), undefined);
    }
  });

  it('any string', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), fc.boolean(), (text, inMetric) => {
        examine(inMetric ? `metric a = ${text}\nmetric b = W - X` : text, undefined);
      }),
      { numRuns: 500, seed: 3 },
    );
  });

  it('any lone surrogates and bytes', () => {
    const rng = new Rng(4);
    for (let i = 0; i < 500; i++) {
      const units = Array.from({ length: rng.integer(100) }, () =>
        rng.integer(4) === 0 ? 0xd800 + rng.integer(0x800) : rng.integer(256),
      );
      examine(`metric a = W\n${String.fromCharCode(...units)}`, undefined);
    }
  });

  it.each([
    ['parentheses', '('],
    ['calls', 'sqrt('],
    ['minus signs', '-'],
    ['spaced minus signs', '- '],
    ['powers', 'W ^ '],
    ['alternating', '-('],
    ['sums', 'W + '],
    ['nested sums', 'W + ('],
    ['named arguments', 'f(a: '],
    ['braces', '{'],
    ['closing', ')'],
    ['commas', 'W,'],
    ['numbers', '1'],
    ['dots', '1.'],
    ['quotes', '"'],
    ['slashes', '/'],
    ['comments', '//\n'],
    ['comments between', 'W//\n'],
    ['colons', 'a:'],
    ['percentages', '5%'],
    ['keywords', 'metric '],
    ['lines of keywords', 'metric\n'],
    ['heads', 'metric a = '],
    ['blocks', 'experiment a {'],
    ['properties', 'at: '],
    ['names', 'a\n'],
    ['spaces', ' \t'],
    ['zeros', '\u0000'],
  ])('100 000 %s', (_, unit) => {
    for (const [before, after] of [
      ['', ''],
      ['metric a = ', 'W\nmetric z = W - X'],
      ['experiment a { prune: ', ' }\nmetric z = W - X'],
    ] as const) {
      const text = `${before}${unit.repeat(Math.floor(100_000 / unit.length))}${after}`;
      const start = performance.now();
      const document = compile(text);
      expect(performance.now() - start, `${before}${unit}…`).toBeLessThan(2 * BOUND);
      expect(sitesOf(document).length).toBeLessThan(200_000);
      if (unit === '(' && before !== '') {
        expect(document.diagnostics.map(({ code }) => code)).toContain('syntax/too-deep');
        expect(document.declarations.find(({ name }) => name === 'z')?.broken).toBe(false);
      }
    }
  });

  it.each(['(', 'sqrt(', '-', 'W ^ ', '-(', 'f(a: '])('nests to the limit and not further: %s', (unit) => {
    const depths = unit === '-(' ? [32, 33] : [64, 65];
    const close = (depth: number): string => ')'.repeat(unit.includes('(') ? depth : 0);
    const codes = depths.map((depth) =>
      compile(`metric a = ${unit.repeat(depth)}W${close(depth)}`).diagnostics.map(({ code }) => code),
    );
    expect(codes[0]).not.toContain('syntax/too-deep');
    expect(codes[1]).toEqual(['syntax/too-deep']);
  });
});

describe('formulas', () => {
  it('come back as they were printed, and mean the same in a file', () => {
    fc.assert(
      fc.property(anyExpression, (expression) => {
        for (const text of [printInfix(expression), printPrefix(expression)]) {
          const read = attempt(() => parseExpression(text));
          if (read === undefined) continue;
          expect(read).toEqual(expression);
          const inFile = compile(`metric a = ${text}`).declarations[0];
          expect(inFile?.kind === 'metric' && inFile.expression).toEqual(expression);
        }
      }),
      { numRuns: 500, seed: 5 },
    );
  });

  it('never fail but with the code of a syntax error', () => {
    const rng = new Rng(6);
    for (let i = 0; i < 1500; i++) {
      const text = mutate('abs(W * W) * mms(X) + -2.5e-3 ^ sqrt(Xmax) - div(W, X)', rng);
      const expression = attempt(() => parseExpression(text));
      if (expression === undefined) continue;
      expect(sizeOf(expression)).toBeLessThanOrEqual(MAX_EXPRESSION_NODES);
      expect(depthOf(expression)).toBeLessThanOrEqual(MAX_EXPRESSION_DEPTH);
    }
  });
});

/** Reads a text and asks everything that an editor asks. */
function examine(text: string, previous: CompiledDocument | undefined): CompiledDocument {
  const start = performance.now();
  const document = compile(text, previous);
  const source = TextDocument.create('file:///a.prune', 'prune', 1, text);
  const planner = new Planner(document);
  const places = [...document.diagnostics, ...document.declarations, ...document.declarations.map((d) => d.nameSpan)];
  for (const { start: from, end } of places) {
    const isInside = 0 <= from && from <= end && end <= text.length;
    expect(isInside, `${from}–${end} of ${JSON.stringify(text)}`).toBe(true);
  }
  for (const declaration of document.declarations) {
    if (planner.isEvaluable(declaration)) expect(planner.planKey(declaration)).toMatch(/^[0-9a-f]{64}$/);
  }
  for (const site of sitesOf(document)) {
    expect(text.slice(site.start, site.end)).toBe(site.symbol.name);
  }
  for (const plan of attempt(() => plansFor(document, undefined, { folder: '/' })) ?? []) {
    expect(planSchema.parse(plan)).toEqual(plan);
  }
  const prompts = { initialise: 'a', mutate: 'b', cross: 'c', propose: 'c', again: 'd' };
  for (const plan of attempt(() => searchPlansFor(document, undefined, { folder: '/', prompts })) ?? []) {
    expect(searchPlanSchema.parse(plan)).toEqual(plan);
  }
  const metric = document.declarations.find(({ kind }) => kind === 'metric')?.name ?? 'a';
  attempt(() => searchPlanFrom(document, metric, { folder: '/' }));
  const offset = Math.floor(text.length / 2);
  complete(document, source, offset);
  hover(document, source, offset);
  rename(document, source, offset, 'renamed');
  outline(document, source);
  lspDiagnostics(document, source);
  codeActions(document, source, { start: source.positionAt(0), end: source.positionAt(text.length) });
  signatureHelp(document, offset);
  // What it changes is looked at in format.test.ts.
  if (text.length % 4 === 0) formatDocument(document, source, { tabSize: 2, insertSpaces: true });
  let behind = 0;
  for (const token of meaningfulTokens(document)) {
    expect(token.start).toBeGreaterThanOrEqual(behind);
    behind = token.end;
  }
  documentSymbols(document, source);
  foldingRanges(document, source);
  expect(performance.now() - start, text).toBeLessThan(BOUND);
  return document;
}

/** Undefined where the work is refused with a coded error. */
function attempt<Value>(work: () => Value): Value | undefined {
  try {
    return work();
  } catch (thrown) {
    if (thrown instanceof EspalierError && thrown.code !== 'internal') return undefined;
    throw thrown;
  }
}
