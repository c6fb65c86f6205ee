import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { compile } from '../../src/language/check/compile.ts';
import { propertyOf } from '../../src/language/check/properties.ts';
import { searchPlansFor } from '../../src/language/plan/searchPlan.ts';
import { complete } from '../../src/language/server/completion.ts';
import { hover } from '../../src/language/server/navigation.ts';
import { meaningfulTokens } from '../../src/language/server/semanticTokens.ts';
import { createRunRecord, parseRunRecord } from '../../src/runs/runRecord.ts';
import { differences } from '../../src/runs/runTitles.ts';
import type { SearchPlan } from '../../src/search/kinds.ts';
import { formatted } from '../support/formatted.ts';
import { checkMarked, cursor } from './marked.ts';

// Here searches for masks have a setting that is a list, whatever searches have some.
vi.mock(import('../../src/search/masks/settings.ts'), async (original) => {
  const [{ defaultsOf }, { LIST_ROWS }] = await Promise.all([
    import('../../src/experiment/settingRow.ts'),
    import('../support/listRows.ts'),
  ]);
  const table = { ...(await original()).MASK_SEARCH_SETTINGS, ...LIST_ROWS };
  return { MASK_SEARCH_SETTINGS: table, DEFAULT_MASK_SEARCH_SETTINGS: defaultsOf(table) };
});

const HEAD = `model tiny = "m"
corpus test = "t"
parameter two = 2
parameter half = 0.5
metric mine = W * half
defaults { model: tiny evaluate: test calibrate: test }
`;
const search = (value: string): string => `search s { method: policy-gradient at: 30% ${value} }`;

/** What a search in these words has survive, beside what is told of it. */
function read(value: string) {
  const document = compile(`${HEAD}${search(value)}`);
  const declared = document.declarations.find(({ kind }) => kind === 'search');
  const { search: said } = declared?.kind === 'search' ? declared.content : {};
  const told = document.diagnostics.filter(({ severity }) => severity === 'error');
  return {
    document,
    survivors: (said as { readonly survivors?: readonly number[] } | undefined)?.survivors,
    told: told.map(({ code, start, end, message }) => ({ code, at: document.text.slice(start, end), message })),
  };
}

const planOf = (value: string): SearchPlan => searchPlansFor(read(value).document, 's', { folder: '/' })[0]!;

describe('a setting that is a list', () => {
  it.each([
    ['[8, 2, 1]', [8, 2, 1]],
    ['[8,2,1]', [8, 2, 1]],
    ['[ 16 ]', [16]],
    ['16', [16]],
    ['two', [2]],
    ['[8, two, two - 1]', [8, 2, 1]],
    ['[1e2, 4 / two, (3)]', [100, 2, 3]],
    ['[8,\n    // the last stage\n    1]', [8, 1]],
    ['[7, 7, 7]', [7, 7, 7]],
  ])('reads %s', (value, survivors) => {
    expect(read(`survivors: ${value}`)).toMatchObject({ survivors, told: [] });
  });

  it('is in the plan, by its default where nothing is said', () => {
    expect(planOf('').search).toMatchObject({ survivors: [8, 2, 1] });
    expect(planOf('survivors: [4, 1]').search).toMatchObject({ survivors: [4, 1] });
  });

  it('is kept with a run, and decides what it finds', () => {
    const recordOf = (value: string) =>
      createRunRecord('a', planOf(value), { root: '/', createdAt: new Date(0), versions: {} });
    const record = recordOf('survivors: [4, 1]');
    expect(parseRunRecord(JSON.stringify(record), 'run.json')).toEqual(record);
    const prints = ['', 'survivors: [4, 1]', 'survivors: [1, 4]', 'survivors: [8,2,1]'].map(
      (value) => recordOf(value).fingerprint,
    );
    expect(prints[0]).toBe(prints[3]);
    expect(new Set(prints).size).toBe(3);
    expect(differences([planOf('survivors: 4 seed: 1'), planOf('')])).toEqual([
      ['seed 1', 'survivors [4]'],
      ['seed 0', 'survivors [8, 2, 1]'],
    ]);
  });

  const whole = 'each of `survivors` is a whole number';
  const range = `${whole} from 1 to 1024`;
  const list = '`survivors` is a list of whole numbers such as `[8, 2, 1]`';
  it.each<[string, [code: string, at: string, message: string][]]>([
    ['[8, 0, 1]', [['property/range', '0', `${range}, not 0`]]],
    [
      '[8, -2, 1025]',
      [
        ['property/range', '-2', `${range}, not -2`],
        ['property/range', '1025', `${range}, not 1025`],
      ],
    ],
    ['[2.5]', [['property/range', '2.5', `${range}, not 2.5`]]],
    ['[half]', [['property/range', 'half', `${range}, not 0.5`]]],
    ['[1e30]', [['property/range', '1e30', `${range}, not 1e+30`]]],
    ['[1e300]', [['number/range', '1e300', 'this number is beyond the range of float32 (3.4e38)']]],
    ['[8, 50%]', [['property/type', '50%', whole]]],
    ['[2:4]', [['property/type', '2:4', whole]]],
    ['["8"]', [['property/type', '"8"', whole]]],
    ['[W]', [['property/type', 'W', `${whole}, and this is [out, in]`]]],
    ['[8, mine]', [['property/type', 'mine', `${whole}, and this is [out, in]`]]],
    ['[8, tow]', [['name/unknown', 'tow', 'unknown operand, metric or parameter `tow`: did you mean `two`?']]],
    ['[8, tiny]', [['name/wrong-kind', 'tiny', '`tiny` is a model and cannot stand in a metric']]],
    ['0', [['property/range', '0', `${range}, not 0`]]],
    ['50%', [['property/type', '50%', list]]],
    ['"8, 2"', [['property/type', '"8, 2"', list]]],
    ['[8, 4, 2, 1, 1]', [['property/range', '[8, 4, 2, 1, 1]', '`survivors` has 1 to 4 numbers, not 5']]],
    [
      '[8, 4, 2, 1, 0]',
      [
        ['property/range', '[8, 4, 2, 1, 0]', '`survivors` has 1 to 4 numbers, not 5'],
        ['property/range', '0', `${range}, not 0`],
      ],
    ],
    ['8, 2, 1', [['property/type', '2', '`survivors` takes one value: did you mean `[8, 2, 1]`?']]],
    ['[8], [2]', [['property/type', '[2]', '`survivors` takes one value']]],
    ['[]', [['syntax/expected', ']', 'expected an operand, a metric, a number or `(`, found `]`']]],
    ['[8, [2]]', [['syntax/expected', '[', 'expected an operand, a metric, a number or `(`, found `[`']]],
    ['[8 2]', [['syntax/expected', '2', 'expected `,` or `]`, found `2`']]],
  ])('is told where it is wrong: %s', (value, expected) => {
    const { told, survivors } = read(`survivors: ${value}`);
    expect(told).toEqual(expected.map(([code, at, message]) => ({ code, at, message })));
    expect(survivors).toBeUndefined();
  });

  it('is whole numbers of its range and as many as there may be, and each other one is told', () => {
    const element = fc.oneof(fc.integer({ min: -3, max: 1100 }), fc.double({ noNaN: true, min: -10, max: 2000 }));
    fc.assert(
      fc.property(fc.array(element, { minLength: 1, maxLength: 7 }), (list) => {
        const { survivors, told } = read(`survivors: [${list.join(', ')}]`);
        const wrong = list.filter((value) => !Number.isInteger(value) || value < 1 || value > 1024);
        expect(told).toHaveLength(wrong.length + (list.length > 4 ? 1 : 0));
        expect(survivors).toEqual(told.length === 0 ? list : undefined);
      }),
    );
  });

  it('leaves the settings around it as they are', () => {
    const document = checkMarked(`${HEAD}search s {
  method: policy-gradient
  survivors: [8, auto]
                 ^^^^ name/unknown
  seed: 3
  survivors: 2
  ^^^^^^^^^ property/duplicate
}`);
    expect(document.declarations.at(-1)).toMatchObject({ broken: true, content: { search: { seed: 3 } } });
  });
});

describe('the editor', () => {
  it('documents a list, with its default as it is written', () => {
    expect(propertyOf('policy-gradient', 'survivors')).toMatchObject({
      documentation:
        'Configurations that survive each stage. A list of 1 to 4 whole numbers from 1 to 1024. Default: `[8, 2, 1]`.',
      example: 'survivors: [8, 2, 1]',
    });
    const { document, source, offset } = cursor(`${HEAD}${search('sur|vivors: [4]')}`);
    const contents = hover(document, source, offset)?.contents;
    expect(contents).toMatchObject({ value: expect.stringContaining('survivors: [8, 2, 1]') as string });
  });

  it.each([
    ['survivors: |', ['[8, 2, 1]']],
    ['survivors: [|', []],
    ['survivors: [8, |]', []],
    ['survivors: [8\n  |', []],
    ['survivors: [8, 2] |', ['seed', 'steps']],
    ['survivors: 8 |', ['seed', 'steps']],
  ])('completes %j', (value, expected) => {
    const { document, source, offset } = cursor(`${HEAD}${search(value)}`);
    const labels = complete(document, source, offset).map(({ label }) => label);
    if (expected.length === 0) expect(labels).toEqual([]);
    else expect(labels).toEqual(expect.arrayContaining(expected));
  });

  it('offers the brackets that are missing', () => {
    const { document } = read('survivors: 8, two,1');
    const [fix] = document.diagnostics.find(({ code }) => code === 'property/type')!.fixes!;
    const [{ start, end, text }] = fix!.edits as [{ start: number; end: number; text: string }];
    expect([document.text.slice(start, end), text]).toEqual(['8, two,1', '[8, two, 1]']);
  });

  it('lays lists out and shows what is in them', () => {
    const { document } = read('survivors:[ 8,two ,  two-1 ]');
    expect(formatted(document)).toContain('  survivors: [8, two, two - 1] }');
    const from = document.text.indexOf('survivors');
    const shown = meaningfulTokens(document).filter(({ start }) => start >= from);
    expect(shown.map(({ start, end, type }) => `${document.text.slice(start, end)} ${type}`)).toEqual([
      ...['survivors property', '8 number', 'two variable', 'two variable', '1 number'],
    ]);
  });
});
