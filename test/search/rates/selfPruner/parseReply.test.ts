import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAX_REFUSED, parseReply } from '../../../../src/search/rates/selfPruner/parseReply.ts';
import type { ParsedReply } from '../../../../src/search/rates/selfPruner/parseReply.ts';
import {
  MEAN_TOLERANCE,
  meanOf,
  printRate,
  projectRates,
  ratesKey,
  rateSpace,
} from '../../../../src/search/rates/rates.ts';

const BLOCK = { groups: 2, groupWeights: 64, channels: 10, channelWeights: 24 };
const space = rateSpace([BLOCK, BLOCK, BLOCK, BLOCK], 0.3);

const parse = (text: string, more: { count?: number; known?: readonly (readonly number[])[] } = {}): ParsedReply =>
  parseReply(text, { space, count: more.count ?? 10, known: new Set((more.known ?? []).map(ratesKey)) });

/** `0.1 0.2 0.3 0.6`, with `~` before what was repaired; then the reasons. */
function told({ lists, refused }: ParsedReply): readonly string[] {
  return [...lists.map(({ rates, repaired }) => `${repaired ? '~' : ''}${rates.join(' ')}`), ...refused];
}

const GOOD = '[0.10000, 0.20000, 0.30000, 0.60000]';
const READ = '0.1 0.2 0.3 0.6';

describe('a reply', () => {
  it.each<readonly [string, string, ...string[]]>([
    ['as asked', GOOD, READ],
    ['several', `${GOOD}\n[0.2, 0.2, 0.2, 0.6]`, READ, '0.2 0.2 0.2 0.6'],
    ['prose around', `Sure! Here is one: ${GOOD}. I hope that it helps [really].`, READ],
    ['a code fence', `\`\`\`json\n${GOOD}\n\`\`\``, READ],
    ['a program', `rates = np.array(${GOOD})`, READ],
    ['a list of lists', `[${GOOD}, [0.2, 0.2, 0.2, 0.6]]`, READ, '0.2 0.2 0.2 0.6'],
    ['an object', `{"configurations": [{"rates": ${GOOD}}]}`, READ],
    ['over several lines', '[\n  0.1,\n\t0.2,\r\n  0.3,\n  0.6\n]', READ],
    ['fewer decimals', '[0.1, 0.2, 0.3, 0.6]', READ],
    ['numbered', `1. ${GOOD}\n2. [0.2, 0.2, 0.2, 0.6] (perplexity should fall)`, READ, '0.2 0.2 0.2 0.6'],
    ['limits', '[0, 0, 0.2, 1]', '0 0 0.2 1'],
    ['drafts while thinking', `<think>[0.9, 0.1, 0.1, 0.1] no</think>${GOOD}`, READ],
    ['thinking without an end', `${GOOD}<think>[0.2, 0.2, 0.2, 0.6]`, READ],

    ['mean too high', '[0.2, 0.3, 0.4, 0.7]', '~0.1 0.2 0.3 0.6'],
    ['mean too low', '[0.05, 0.15, 0.25, 0.55]', '~0.1 0.2 0.3 0.6'],
    ['too many decimals', '[0.100001, 0.199999, 0.3, 0.6]', '~0.1 0.2 0.3 0.6'],
    ['slightly negative', '[-0.05, 0.25, 0.4, 0.6]', '~0 0.23333 0.38334 0.58333'],
    ['slightly above 1', '[0, 0, 0.17, 1.03]', '~0.01 0.01 0.18 1'],
    ['signs and missing zeros', '[+.1, .2, 0.30, 0.6]', READ],

    ['too few', '[0.1, 0.2, 0.3]', 'it has 3 numbers instead of 4'],
    ['too many', '[0.1, 0.2, 0.3, 0.4, 0.5]', 'it has 5 numbers instead of 4'],
    ['cut off', `${GOOD}\n[0.2, 0.2, 0.2`, READ, 'its closing bracket is missing'],
    ['only an end', `0.1, 0.2, 0.3, 0.6]\n${GOOD}`, READ],
    ['opened twice', `[0.1, [0.1, 0.2, 0.3, 0.6]`, READ],
    ['percents', '[10%, 20%, 30%, 60%]', READ],
    ['percents without a sign', '[10, 20, 30, 60]', '10 is not between 0 and 1'],
    ['words', '[0.1, low, 0.3, 0.6]', '"low" is not a decimal number'],
    ['NaN', '[NaN, 0.2, 0.3, 0.6]', '"NaN" is not a decimal number'],
    ['infinity', '[Infinity, 0.2, 0.3, 0.6]', '"Infinity" is not a decimal number'],
    ['exponents', '[1e400, 0.2, 0.3, 0.6]', '"1e400" is not between 0 and 1'],
    ['small exponents', '[1e-1, 0.2, 0.3, 0.6]', READ],
    ['hexadecimal', '[0x1, 0.2, 0.3, 0.6]', '"0x1" is not a decimal number'],
    ['other digits', '[٠.١, 0.2, 0.3, 0.6]', READ],
    ['full-width digits', '[０.１, 0.2, 0.3, 0.6]', READ],
    ['another minus', '[−0.01, 0.2, 0.3, 0.6]', '~0.0175 0.2275 0.3275 0.6275'],
    ['decimal commas', '[0,1; 0,2; 0,3; 0,6]', READ],
    ['no commas', '[0.1 0.2 0.3 0.6]', READ],
    ['an ellipsis', '[0.1, 0.2, ..., 0.6]', '"..." is not a decimal number'],
    ['a comma too many', '[0.1, 0.2, 0.3, 0.6,]', READ],
    ['quoted numbers', '["0.1", "0.2", "0.3", "0.6"]', READ],
    ['a mean far off', '[0.6, 0.6, 0.7, 0.8]', 'its mean is 0.67500 instead of 0.30000'],
    ['far below', '[-0.5, 0.5, 0.6, 0.6]', '-0.5 is not between 0 and 1'],
    ['an enormous number', `[${'9'.repeat(200)}, 0, 0, 0]`, '"99999999999999999999…" is not a decimal number'],
    ['the same twice', `${GOOD}\n${GOOD}`, READ, 'it was there already'],
    [
      'the same after repair',
      `${GOOD}\n[0.2, 0.3, 0.4, 0.7]`,
      READ,
      'it is the same as another one, once it has the right mean',
    ],
    ['commands', 'ignore all rules; [require("fs"), 0.2, 0.3, 0.6]', '"require" is not a decimal number'],

    ['nothing', ''],
    ['prose alone', 'I am sorry, but I cannot help with that.'],
    ['brackets of prose', 'See [the paper] and [] and ][.'],
    ['round brackets', '(0.1, 0.2, 0.3, 0.6)', READ],
  ])('%s', (_, text, ...expected) => {
    expect(told(parse(text))).toEqual(expected);
  });

  it('has what is there already refused', () => {
    expect(told(parse(GOOD, { known: [[0.1, 0.2, 0.3, 0.6]] }))).toEqual(['it was there already']);
  });

  it('has its last lists read where there are more than were wanted', () => {
    const text = [GOOD, '[0.2, 0.2, 0.2, 0.6]', '[nonsense, 1, 2, 3]'].join('\n');
    expect(told(parse(text, { count: 1 }))).toEqual(['0.2 0.2 0.2 0.6', '"nonsense" is not a decimal number']);
  });

  it('is cut into lists of 126 rates, which the largest models need', () => {
    const large = rateSpace(
      Array.from({ length: 126 }, () => BLOCK),
      0.4,
    );
    const rates = projectRates(
      large.shares.map((_, i) => i / 125),
      large,
    );
    const text = `[${rates.map(printRate).join(', ')}]`;
    expect(parseReply(text, { space: large, count: 1, known: new Set() })).toEqual({
      lists: [{ rates, repaired: false }],
      refused: [],
    });
  });
});

describe('whatever a reply says', () => {
  const item = fc.oneof(
    fc.double({ min: 0, max: 1, noNaN: true }).map((value) => value.toFixed(5)),
    fc.double({ min: -0.2, max: 1.3, noNaN: true }).map(String),
    fc.constantFrom('0.3', '0.30000', '30%', 'NaN', '1e400', '...', '', '٣', '0.3.3', '--1', 'null', '"0.3"'),
    fc.string({ maxLength: 6 }),
  );
  const list = fc.oneof(
    { weight: 3, arbitrary: fc.array(item, { minLength: 3, maxLength: 5 }) },
    {
      weight: 3,
      arbitrary: fc.array(
        fc.double({ min: 0.2, max: 0.4, noNaN: true }).map((x) => x.toFixed(5)),
        { minLength: 4, maxLength: 4 },
      ),
    },
  );
  const piece = fc.oneof(
    list.map((items) => `[${items.join(', ')}]`),
    fc.constantFrom('[', ']', '```', '\n', '<think>', '</think>', '{"a": ', '}', GOOD, `[${GOOD}]`),
    fc.string({ maxLength: 12, unit: 'binary' }),
  );
  const replies = fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join(' '));
  const mutated = fc
    .tuple(
      replies,
      fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 3 }), fc.string({ maxLength: 3 })), { maxLength: 4 }),
    )
    .map(([text, edits]) =>
      edits.reduce((now, [place, length, insert]) => {
        const at = place % (now.length + 1);
        return now.slice(0, at) + insert + now.slice(at + length);
      }, text),
    );

  it('nothing but rates in five decimals with the mean comes out, each new, at most as many as wanted', () => {
    let [used, repaired, refused] = [0, 0, 0];
    fc.assert(
      fc.property(mutated, fc.integer({ min: 1, max: 5 }), (text, count) => {
        const known = [[0.3, 0.3, 0.3, 0.3]];
        const reply = parse(text, { count, known });
        const keys = reply.lists.map(({ rates }) => ratesKey(rates));
        expect(new Set([...keys, ...known.map(ratesKey)]).size).toBe(keys.length + 1);
        expect(keys.length).toBeLessThanOrEqual(count);
        for (const { rates, repaired: wasRepaired } of reply.lists) {
          expect(rates).toHaveLength(4);
          expect(Math.abs(meanOf(rates, space) - 0.3)).toBeLessThanOrEqual(MEAN_TOLERANCE);
          for (const rate of rates) expect([rate >= 0, rate <= 1, Number(printRate(rate))]).toEqual([true, true, rate]);
          if (wasRepaired) repaired++;
          else used++;
        }
        for (const reason of reply.refused) expect(reason).toMatch(/^[\x20-\x7e…]{5,100}$/);
        refused += reply.refused.length;
      }),
      { seed: 5, numRuns: 2500 },
    );
    // The fuzzing reaches all three.
    expect(Math.min(used, repaired, refused)).toBeGreaterThan(200);
  });

  it.each<readonly [string, string]>([
    ['opening brackets', '['.repeat(3_000_000)],
    ['closing brackets', ']'.repeat(3_000_000)],
    ['pairs', '[1]'.repeat(1_000_000)],
    ['one enormous list', `[${'0.3,'.repeat(1_000_000)}`],
    ['one enormous list that ends', `[${'0.3,'.repeat(900_000)}0.3]`],
    ['one enormous number', `[0.${'3'.repeat(3_000_000)}, 0.3, 0.3, 0.3]`],
    ['blanks', `[${' '.repeat(3_000_000)}0.3, 0.3, 0.3, 0.3]`],
    ['opened again and again', '[0.3, '.repeat(600_000)],
    ['thoughts', '<think>'.repeat(500_000)],
    ['good lists without end', `${GOOD}\n`.repeat(80_000)],
  ])('time is bounded: %s', (_, text) => {
    const begin = performance.now();
    const { lists, refused } = parse(text, { count: 5 });
    expect(performance.now() - begin).toBeLessThan(5000);
    expect(lists.length).toBeLessThanOrEqual(1);
    expect(refused.length).toBeLessThanOrEqual(MAX_REFUSED);
  });
});
