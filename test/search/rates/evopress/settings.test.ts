import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compile } from '../../../../src/language/check/compile.ts';
import type { CompiledDocument } from '../../../../src/language/check/document.ts';
import { searchPlansFor } from '../../../../src/language/plan/searchPlan.ts';

/** A search by EvoPress with these properties, as a file. */
function fileOf(properties: string): string {
  return `search s {
  method: evopress
  model: "m"
  evaluate: "t"
  calibrate: "c"
  at: 30%
  ${properties}
}
`;
}

const errorsOf = ({ diagnostics }: CompiledDocument) => diagnostics.filter(({ severity }) => severity === 'error');

/** The file with what its first error proposes. */
function fixed(document: CompiledDocument): CompiledDocument {
  const [fix] = errorsOf(document)[0]!.fixes!;
  const [{ start, end, text }] = fix!.edits as [{ start: number; end: number; text: string }];
  return compile(document.text.slice(0, start) + text + document.text.slice(end));
}

function selectionOf(document: CompiledDocument) {
  const { search } = searchPlansFor(document, 's', { folder: '/' })[0]!;
  if (search.method !== 'evopress') throw new Error(`a search by ${search.method}`);
  const { offspring, rounds, survivors } = search;
  return { offspring, rounds, survivors };
}

describe('settings of EvoPress that do not go together', () => {
  it.each<[what: string, properties: string, at: string, message: string, mended: object]>([
    [
      'fewer survivors than rounds',
      'rounds: [1, 8, 32]  survivors: [4, 1]',
      '[4, 1]',
      '`rounds` and `survivors` have one number for each round of selection, not 3 and 2',
      { survivors: [4, 1, 1] },
    ],
    [
      'more of them',
      'rounds: [1, 8]  survivors: [8, 2, 1]',
      '[8, 2, 1]',
      '`rounds` and `survivors` have one number for each round of selection, not 2 and 3',
      { survivors: [8, 1] },
    ],
    [
      'rounds without survivors, which are those by default',
      'rounds: [4, 16]',
      '[4, 16]',
      '`rounds` and `survivors` have one number for each round of selection, not 2 and 3',
      { survivors: [8, 1] },
    ],
    [
      'survivors of other offspring, of another number',
      'offspring: 6  rounds: [1, 8, 32, 64]  survivors: [9, 3]',
      '[9, 3]',
      '`rounds` and `survivors` have one number for each round of selection, not 4 and 2',
      { survivors: [6, 3, 3, 1] },
    ],
    [
      'a round on less of the text',
      'rounds: [8, 32, 1]',
      '[8, 32, 1]',
      '`rounds` measure on more and more of the text, and 1 comes after 32',
      { rounds: [1, 8, 32] },
    ],
    [
      'more survivors than offspring',
      'offspring: 4',
      '4',
      'a round of selection leaves at most as many as it has: of 4 not 8 can be `survivors`',
      { offspring: 4, survivors: [4, 2, 1] },
    ],
    [
      'more survivors than the round before left',
      'survivors: [8, 2, 4]',
      '[8, 2, 4]',
      'a round of selection leaves at most as many as it has: of 2 not 4 can be `survivors`',
      { survivors: [8, 2, 1] },
    ],
    [
      'several that are left in the end',
      'survivors: [8, 4, 2]',
      '[8, 4, 2]',
      'the last round of selection leaves one, the next parent, not 2',
      { survivors: [8, 4, 1] },
    ],
    [
      'several that a single round leaves',
      'rounds: 16  survivors: 4',
      '4',
      'the last round of selection leaves one, the next parent, not 4',
      { rounds: [16], survivors: [1] },
    ],
  ])('are told, with what mends them: %s', (_, properties, at, message, mended) => {
    const document = compile(fileOf(properties));
    const told = errorsOf(document).map(({ code, start, end, message }) => ({
      ...{ code, at: document.text.slice(start, end), message },
    }));
    expect(told).toEqual([{ code: 'property/range', at, message }]);
    expect(() => searchPlansFor(document, 's', { folder: '/' })).toThrow('without errors');
    const better = fixed(document);
    expect(errorsOf(better)).toEqual([]);
    expect(selectionOf(better)).toMatchObject(mended);
  });

  it('are mended by one fix for each list, whatever they are, and what is right stays', () => {
    const list = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 20 }), list, list, (offspring, rounds, survivors) => {
        const properties = `offspring: ${offspring} rounds: [${rounds.join()}] survivors: [${survivors.join()}]`;
        let document = compile(fileOf(properties));
        let fixes = 0;
        for (; errorsOf(document).length > 0; fixes++) {
          expect(fixes).toBeLessThan(2);
          document = fixed(document);
        }
        const found = selectionOf(document);
        const left = [offspring, ...found.survivors];
        expect([found.offspring, found.survivors.length]).toEqual([offspring, rounds.length]);
        expect(found.rounds).toEqual([...rounds].sort((a, b) => a - b));
        expect(left).toEqual([...left].sort((a, b) => b - a));
        expect(left.at(-1)).toBe(1);
        for (const [round, count] of survivors.slice(0, rounds.length - 1).entries()) {
          if (count <= Math.min(offspring, ...survivors.slice(0, round))) expect(found.survivors[round]).toBe(count);
        }
      }),
      { seed: 1 },
    );
  });
});

it.each<[properties: string, told: readonly string[]]>([
  ['', []],
  ['step: 0.1', []],
  ['starts: 9', ['9: `starts` has no effect: rates begin uniform']],
  ['drop: off  starts: 9  step: 0.1', ['9: `starts` has no effect: rates begin uniform']],
  ['drop: sublayers  starts: 9', []],
  [
    'drop: sublayers  starts: 9  step: 0.1',
    ['0.1: `step` has no effect: with `drop: sublayers` a layer goes as a whole or stays'],
  ],
])('settings of EvoPress that change nothing are underlined, and no others: %s', (properties, expected) => {
  const { text, diagnostics } = compile(fileOf(properties));
  expect(diagnostics.filter(({ code }) => code !== 'search/no-effect')).toEqual([]);
  expect(diagnostics.map(({ start, end, message }) => `${text.slice(start, end)}: ${message}`)).toEqual(expected);
});

it.each([
  ['population: 9', 'population'],
  ['mutate: classical', 'mutate'],
  ['provider: none', 'provider'],
])('what belongs to another method does not stand in a search by EvoPress: %s', (properties, name) => {
  const told = errorsOf(compile(fileOf(properties)));
  expect(told.map(({ message }) => message)).toEqual([expect.stringContaining(`\`${name}\``)]);
});
