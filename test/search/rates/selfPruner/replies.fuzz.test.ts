import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Rng } from '../../../../src/base/rng.ts';
import { parseReply } from '../../../../src/search/rates/selfPruner/parseReply.ts';
import { printRate, projectRates, rateSpace } from '../../../../src/search/rates/rates.ts';
import type { RateSpace } from '../../../../src/search/rates/rates.ts';

const BLOCK = { groups: 2, groupWeights: 64, channels: 10, channelWeights: 24 };
const spaceOf = (blocks: number, mean: number): RateSpace =>
  rateSpace(
    Array.from({ length: blocks }, () => BLOCK),
    mean,
  );

type Lists = readonly (readonly number[])[];
type Style = (lists: Lists, rng: Rng) => string;

const join = (separator: string): ((rates: readonly number[]) => string) => {
  return (rates) => rates.map(printRate).join(separator);
};
const wrapped = (rates: readonly number[], perLine: number): string =>
  rates
    .map((rate, i) => `${printRate(rate)}${i + 1 === rates.length ? '' : i % perLine === perLine - 1 ? ',\n' : ', '}`)
    .join('');
const each =
  (show: (rates: readonly number[], i: number) => string, between = '\n'): Style =>
  (lists) =>
    lists.map(show).join(between);

/** How a list is written, each as a person reads it without a doubt. */
const STYLES: Readonly<Record<string, Style>> = {
  tuples: (lists) => `[${lists.map((rates) => `(${join(', ')(rates)})`).join(', ')}]`,
  asked: each((rates) => `[${join(', ')(rates)}]`),
  compact: each((rates) => `[${join(',')(rates)}]`),
  trailingComma: each((rates) => `[${join(', ')(rates)},]`),
  quoted: each((rates) => `[${rates.map((rate) => `"${rate}"`).join(', ')}]`),
  blanks: each((rates) => `[${join('  ')(rates)}]`),
  fullWidth: each((rates) => `［${join('，')(rates)}］`),
  latex: each((rates) => `\\[${join(',\\ ')(rates)}\\]`),
  comments: each((rates) => `[\n${rates.map((rate, i) => `  ${rate},  # block ${i}, was 0.5`).join('\n')}\n]`),
  slashes: each((rates) => `[\n${rates.map((rate, i) => `  ${rate}, // [${i}]`).join('\n')}\n]`),
  percents: each((rates) => `[${rates.map((rate) => `${(100 * rate).toFixed(3)}%`).join(', ')}]`),
  json: (lists) => JSON.stringify({ configurations: lists.map((rates, i) => ({ name: `c${i}`, rates })) }, null, 2),
  jsonByBlock: (lists) =>
    JSON.stringify(lists.map((rates) => Object.fromEntries(rates.map((rate, i) => [`block_${i}`, rate])))),
  jsonOfObjects: (lists) => JSON.stringify(lists.map((rates) => rates.map((rate, block) => ({ block, rate })))),
  yaml: each((rates, i) => `config_${i}:\n${rates.map((rate) => `  - ${printRate(rate)}`).join('\n')}`),
  numbered: each((rates, i) => `${i + 1}. ${join(', ')(rates)}`),
  labelled: each((rates, i) => `**Configuration ${i + 1}:** ${join(', ')(rates)}`),
  wrapped: each((rates, i) => `Configuration ${i + 1}:\n${wrapped(rates, 3)}`, '\n\n'),
  wrappedInBrackets: each((rates) => `[${wrapped(rates, 2)}]`),
  blockLines: each(
    (rates, i) => `Config ${i}\n${rates.map((rate, k) => `- Block ${k}: ${printRate(rate)}`).join('\n')}`,
    '\n\n',
  ),
  inline: each((rates) => rates.map((rate, k) => `Block ${k + 1}: ${printRate(rate)}`).join(', ')),
  table: (lists) =>
    [
      `| Config |${lists[0]!.map((_, k) => ` Block ${k} |`).join('')}`,
      `|---|${lists[0]!.map(() => '---|').join('')}`,
      ...lists.map((rates, i) => `| ${i + 1} | ${join(' | ')(rates)} |`),
    ].join('\n'),
  columns: (lists) =>
    [
      `| Block |${lists.map((_, i) => ` Config ${i + 1} |`).join('')}`,
      `|---|${lists.map(() => '---|').join('')}`,
      ...lists[0]!.map((_, k) => `| ${k} |${lists.map((rates) => ` ${printRate(rates[k]!)} |`).join('')}`),
    ].join('\n'),
};

const PROSE = [
  'Each rate is in [0, 1] and the mean is 0.30000.',
  'The early blocks 0, 1 and 2 matter most, so they keep about 90% of their weights.',
  'In [1] the authors used rates between 0.1 and 0.5 for LLaMA 2.',
  'I looked at [0.1, 0.2, 0.3, 0.6] among others.',
  'Compared with the best one (0.25, 0.35, 0.3, 0.3) these move 0.05 from block 0 to block 1.',
  'The perplexity should fall from 12.3 to 11.9.',
  'Values such as 0.2, 0.3, 0.4, 0.3 would do.',
  'Check: 0.1 + 0.2 + 0.3 + 0.6 = 1.2, and 1.2 / 4 = 0.3.',
  'Version 3.1 of 2024-05-06 has 32 blocks, 4096 channels.',
  'Note that rates[0] stays below 0.4, and rates[3] above 0.1.',
  'With λ = 0.08 the interval is [0.22, 0.38].',
  'I can give you 5 more, if you like.',
];
const prose = fc.array(fc.constantFrom(...PROSE), { minLength: 1, maxLength: 4 });

describe('lists that are written as models write them', () => {
  it.each(Object.keys(STYLES))('are read exactly: %s', (name) => {
    fc.assert(
      fc.property(
        ...[fc.integer({ min: 3, max: 40 }), fc.integer({ min: 1, max: 4 }), fc.nat(), fc.nat(5), prose, prose],
        (blocks, count, seed, frame, before, after) => {
          const rng = new Rng(seed);
          const space = spaceOf(blocks, 0.3);
          const lists = Array.from({ length: count }, () =>
            projectRates(
              space.shares.map(() => 0.3 + 0.2 * rng.normal()),
              space,
            ),
          );
          fc.pre(
            new Set(lists.map(String)).size === count && lists.every((rates) => rates.some((rate) => rate % 1 > 0)),
          );
          const body = STYLES[name]!(lists, rng);
          const draft = `[${projectRates(
            space.shares.map((_, i) => i / blocks),
            space,
          ).join(', ')}]`;
          const text = [
            body,
            `${before.join(' ')}\n\n${body}\n\n${after.join(' ')}`,
            `Here you are:\n\n\`\`\`\n${body}\n\`\`\`\n\n${after.join('\n')}`,
            `<think>${before.join(' ')}\n${draft}</think>\n\n${body}`,
            `Draft:\n${draft}\n\nFinal answer:\n\n${body}`,
            `<answer>\n${body}\n</answer>\n${after.join(' ')}`,
          ][frame]!;
          const parsed = parseReply(text, { space, count: 10, known: new Set() });
          expect(parsed.lists.map(({ rates }) => rates)).toEqual(lists);
          expect(parsed.lists.every(({ repaired }) => !repaired)).toBe(true);
        },
      ),
      { seed: 9, numRuns: 150 },
    );
  });

  it('and spoilt in one number, are read otherwise or refused, but not as something else', () => {
    const spoilt = ['...', 'NaN', 'null', '', '0.1-0.2', '~0.3', '1/3', '0.3*2', 'x', '0.2 0.3', '50', '-3', '0x1'];
    fc.assert(
      fc.property(
        ...[fc.constantFrom(...spoilt), fc.integer({ min: 3, max: 12 }), fc.nat(), fc.constantFrom('[]', '()', '')],
        (bad, blocks, place, brackets) => {
          const items = Array.from({ length: blocks }, (_, i) => (i === place % blocks ? bad : '0.3'));
          fc.pre(bad !== '' || place % blocks < blocks - 1);
          const text = `${brackets[0] ?? ''}${items.join(', ')}${brackets[1] ?? ''}`;
          expect(parseReply(text, { space: spaceOf(blocks, 0.3), count: 5, known: new Set() }).lists).toEqual([]);
        },
      ),
      { seed: 10, numRuns: 2000 },
    );
  });
});

describe('prose with numbers', () => {
  const number = fc.oneof(
    fc.double({ min: 0, max: 1, noNaN: true }).map((value) => value.toFixed(2)),
    fc.constantFrom('0', '1', '0.3', '30%', '2', '12.5', '1e-3'),
  );
  const numbers = fc.array(number, { minLength: 2, maxLength: 4 }).map((all) => all.join(', '));
  const group = fc
    .tuple(fc.constantFrom('[]', '()', ''), numbers)
    .map(([brackets, all]) => `${brackets[0] ?? ''}${all}${brackets[1] ?? ''}`);
  const word = fc.constantFrom(
    ...['the rates', 'blocks', 'a share', 'of the weights', 'mean', 'keeps', 'should lie', 'better', 'loss', 'we know'],
  );
  const link = fc.constantFrom(
    'in',
    'between',
    'of',
    'like',
    'are',
    'such as',
    'was',
    'from',
    'and',
    'within',
    'than',
    'with',
  );
  const clause = fc.tuple(
    word,
    word,
    link,
    group,
    fc.constantFrom(' or so', '', ' in most cases', ' for the first ones'),
  );
  const sentence = fc
    .array(clause, { minLength: 1, maxLength: 3 })
    .map((all) => `So ${all.map(([a, b, to, some, end]) => `${a} ${b} ${to} ${some}${end}`).join(', while ')}.`);

  it('is never a list', () => {
    fc.assert(
      fc.property(
        ...[
          fc.array(fc.oneof(sentence, fc.constantFrom(...PROSE)), { minLength: 1, maxLength: 6 }),
          fc.constantFrom(' ', '\n', '\n\n', '\n- '),
        ],
        fc.constantFrom(2, 3, 4),
        fc.constantFrom(0.3, 0.5),
        (sentences, between, blocks, mean) => {
          const parsed = parseReply(sentences.join(between), {
            space: spaceOf(blocks, mean),
            count: 10,
            known: new Set(),
          });
          expect(parsed.lists).toEqual([]);
        },
      ),
      { seed: 11, numRuns: 5000 },
    );
  });
});

// Ten times as long it takes ten times as long; what took the square of it would not end within a test's time.
describe('a reply of a hundred thousand characters', () => {
  const filled = (part: string): string => part.repeat(Math.ceil(1e5 / part.length));
  it.each([
    ...[
      '<',
      '<think',
      '<think>',
      '</think>',
      '<answer>',
      '[THINK]',
      '&lt;',
      '<!--',
      '/*',
      '`',
      '```\n',
      '#',
      '# 0.1, 0.2\n',
      '//',
      '\\',
      '\\[',
      '$',
    ],
    ...[
      '(',
      ')',
      '(0.1',
      '{',
      '{"block": 1, ',
      '{"block": 1, "rate": ',
      '"',
      '"0.1, ',
      "'0.1 ",
      '|',
      '| 0.1 ',
      '|0.1|\n',
      '-',
      '- ',
      '- 0.1\n',
      '> ',
    ],
    ...[
      '0.1, ',
      '0.1,\n',
      '0.1\n',
      '0.1 ',
      '1. 0.1\n',
      'Block 0: 0.1, ',
      'Block 0: 0.1\n',
      'x=',
      'x = [0.1',
      '[0.1, 0.2]',
      '[0.1, 0.2] → ',
      '0',
      '.',
      '%',
      ' ',
      '\n',
      ',',
      ':',
    ],
    ...[
      '[',
      ']',
      '[0.3, 0.3, 0.3, 0.3]\n',
      '［0.3，',
      '٣',
      '\u200b',
      '\u0000',
      '*',
      '**',
      '_',
      'wait ',
      'Wait.\n',
      'final answer\n',
      'a',
      'a ',
      'a:',
      '\ud800',
      '\ue000',
    ],
  ])('takes a bounded time: %j', (part) => {
    const begin = performance.now();
    for (const text of [filled(part), `[${filled(part)}`, `0.3, ${filled(part)}`]) {
      expect(() => parseReply(text, { space: spaceOf(4, 0.3), count: 5, known: new Set() })).not.toThrow();
    }
    expect(performance.now() - begin).toBeLessThan(10_000);
  });
});

it('whatever is said, nothing is thrown', () => {
  const piece = fc.oneof(
    fc.constantFrom(
      '[',
      ']',
      '(',
      ')',
      '{',
      '}',
      '|',
      '\n',
      '0.3',
      ', ',
      ': ',
      'Block 0',
      '#',
      '<think>',
      '</think>',
      '```',
      '\\',
      '"',
      '- ',
      '1. ',
      '%',
      '…',
    ),
    fc.string({ maxLength: 5, unit: 'binary' }),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 60 }), fc.integer({ min: 1, max: 6 }), (pieces, blocks) => {
      const { lists } = parseReply(pieces.join(''), { space: spaceOf(blocks, 0.3), count: 3, known: new Set() });
      for (const { rates } of lists) expect(rates).toHaveLength(blocks);
    }),
    { seed: 12, numRuns: 4000 },
  );
});
