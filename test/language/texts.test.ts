import { describe, expect, it } from 'vitest';
import { TextDocument } from 'vscode-languageserver-textdocument';
import { DEFAULT_SETTINGS } from '../../src/experiment/settings.ts';
import { compile } from '../../src/language/check/compile.ts';
import { formatted } from '../support/formatted.ts';
import { plansFor } from '../../src/language/plan/plan.ts';
import { searchPlansFor } from '../../src/language/plan/searchPlan.ts';
import { complete } from '../../src/language/server/completion.ts';
import { signatureHelp } from '../../src/language/server/signature.ts';

// Texts by their path, with settings behind it, and samples of a length of their own.

const file = (properties: string, more = ''): string =>
  `corpus calib = "data/valid.txt"\nmetric wanda = W * sqrt(X)\n${more}\nexperiment e {\n  model: "m"\n  prune: wanda\n  at: 50%\n${properties}\n}\n`;

function settingsOf(properties: string, more = '') {
  const [plan] = plansFor(compile(file(properties, more)), 'e', { folder: '/f' });
  return { text: plan!.text, calibration: plan!.calibration, settings: plan!.settings };
}

describe('a path in quotes takes settings in parentheses', () => {
  it.each([
    [
      'evaluate: "data (1)/x.txt" (blocks: 4, length: 64)  calibrate: "c4.txt" (samples: 8, length: 32, seed: 3)',
      { blocks: 4, length: 64, samples: 8, calibrationLength: 32, seed: 3 },
    ],
    ['evaluate: "data (1)/x.txt"(blocks:4)  calibrate: "c4.txt" ()', { blocks: 4 }],
    ['evaluate: "data (1)/x.txt"  calibrate: "c4.txt"', {}],
  ])('%s', (properties, settings) => {
    expect(compile(file(properties)).diagnostics).toEqual([]);
    expect(settingsOf(properties)).toEqual({
      text: '/f/data (1)/x.txt',
      calibration: '/f/c4.txt',
      settings: { ...DEFAULT_SETTINGS, ...settings },
    });
  });

  it.each([
    [
      'evaluate: "x.txt" (samples: 3)',
      'call/argument',
      /`samples` cannot stand here, only `blocks`, `length`, `field`/,
    ],
    ['evaluate: "x.txt" (64)', 'call/argument', /behind `"x.txt"` stand settings by name/],
    ['evaluate: "x.txt" (length: 1)', 'property/range', /from 2/],
    ['evaluate: "x.txt" (length: 8) length: 9', 'property/duplicate', /said twice/],
    ['calibrate: "x.txt" (length: 1)', 'property/range', /from 2/],
    ['calibrate: "x.txt" (length: 8) calibrationLength: 8', 'property/duplicate', /said twice/],
    ['calibrate: "x.txt" (lenght: 8)', 'call/argument', /did you mean `length`/],
    ['calibrate: "x.txt" (length: 8', 'syntax/expected', /./],
    ['model: "m" (length: 8)', 'property/duplicate', /./],
  ])('but not %s', (property, code, says) => {
    const { diagnostics } = compile(file(`  ${property}`));
    const found = diagnostics.find((each) => each.code === code);
    expect(found?.message).toMatch(says);
  });

  it('of which a model has none, and an unseen text only those of its rows', () => {
    const source = `search s {\n  method: self-pruner\n  model: "m" (length: 3)\n  evaluate: "x"\n  calibrate: "c"\n  llm: "qwen" (a: 1)\n  test: "t" (blocks: 2)\n}\n`;
    const found = compile(source).diagnostics.filter(({ code }) => code === 'call/argument');
    expect(found.map(({ message }) => message)).toEqual([
      'no settings can stand behind `"m"` here',
      'nothing can stand in parentheses behind the text of `llm`',
      '`blocks` cannot stand here, only `field`, `rows`, `join`, `first`',
    ]);
    expect(found.map(({ fixes }) => fixes?.[0]?.edits[0]?.text)).toEqual(['"m"', '"qwen"', undefined]);
  });
});

describe('calibration samples have a length of their own', () => {
  it.each<[properties: string, more: string, length: number, calibrationLength: number]>([
    ['evaluate: calib (length: 64)  calibrate: calib (length: 32)', '', 64, 32],
    ['evaluate: calib (length: 64)  calibrate: calib', '', 64, 0],
    ['evaluate: calib  calibrate: calib (length: 32)', '', 32, 32],
    ['evaluate: calib  calibrate: calib  length: 64  calibrationLength: 32', '', 64, 32],
    ['evaluate: calib  calibrate: calib (length: 32)', 'defaults { length: 64 }', 64, 32],
    ['evaluate: calib (length: 64)', 'defaults { calibrate: calib (length: 32) }', 64, 32],
    ['evaluate: calib', 'defaults { calibrate: calib (length: 32) }', 32, 32],
    ['evaluate: calib (length: 64)  calibrationLength: 0', 'defaults { calibrate: calib (length: 32) }', 64, 0],
  ])('%s %s', (properties, more, length, calibrationLength) => {
    expect(settingsOf(properties, more).settings).toMatchObject({ length, calibrationLength });
  });

  it('in a search, too', () => {
    const source = 'search s {\n  model: "m"\n  evaluate: "x" (length: 64)\n  calibrate: "c" (length: 32)\n}\n';
    const [plan] = searchPlansFor(compile(source), 's', { folder: '/f' });
    expect(plan!.settings).toMatchObject({ length: 64, calibrationLength: 32 });
  });
});

describe('in the editor', () => {
  it('blanks are laid out as behind a name', () => {
    const source = file('  evaluate: "a b.txt"(length :64,blocks: 2)');
    const text = formatted(compile(source));
    expect(text).toContain('  evaluate: "a b.txt" (length: 64, blocks: 2)\n');
  });

  const ROWS = ['field', 'rows', 'join', 'first'];

  const labels = (properties: string): string[] => {
    const marked = file(properties);
    const offset = marked.indexOf('¦');
    const source = marked.replace('¦', '');
    const document = TextDocument.create('file:///t.prune', 'prune', 1, source);
    return complete(compile(source), document, offset).map(({ label }) => label);
  };

  it.each([
    ['  evaluate: "x.txt" (¦)', ['blocks', 'length', ...ROWS]],
    ['  evaluate: "x.txt" (length: 8)\n  calibrate: "y.txt" (¦)', ['samples', 'length', 'offsets', 'seed', ...ROWS]],
    ['  calibrate: calib (length: 8, ¦)', ['samples', 'offsets', 'seed', ...ROWS]],
    ['  calibrationLength: 8\n  calibrate: calib (¦)', ['samples', 'offsets', 'seed', ...ROWS]],
    ['  samples: 8\n  calibrate: calib (¦)', ['length', 'offsets', 'seed', ...ROWS]],
    ['  gradients: calib (length: 8, ¦)', ['samples', 'offsets', ...ROWS]],
    ['  gradientSamples: 8\n  gradients: "g" (¦)', ['length', 'offsets', ...ROWS]],
    ['  gradients: "g" (offsets: ¦)', ['calibration', 'even', 'random', 'python', 'documents', 'documents-once']],
    ['  evaluate: calib (join: ¦)', ['blank-line', 'line', 'space', 'nothing']],
    ['  evaluate: calib (first: 3, field: "a", ¦)', ['blocks', 'length', 'rows', 'join']],
  ])('names are completed: %s', (properties, expected) => {
    expect(labels(properties)).toEqual(expected);
  });

  it('the settings are shown while they are typed', () => {
    const source = file('  calibrate: "y.txt" (length: ');
    const help = signatureHelp(compile(source), source.indexOf('(length: ') + 9);
    expect(help?.signatures[0]?.label).toBe(
      '"y.txt" (samples: 128, length: 0, offsets: random, seed: 0, field: "", rows: whole, join: blank-line, first: 0)',
    );
    expect(help?.activeParameter).toBe(1);
  });
});
