import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { capitalize } from '../../src/base/pythonText.ts';
import { loadTokenizer } from '../../src/engine/tokenizer/tokenizer.ts';
import { cutPair, encodeDocument, encodePair } from '../../src/tasks/encodePair.ts';
import type { PairEncoder } from '../../src/tasks/encodePair.ts';
import { cleanHellaSwag } from '../../src/tasks/hellaswag.ts';
import { failureOf } from '../support/expectCoded.ts';
import { REFERENCE_MODEL, whyNoReferenceModel } from '../support/peer.ts';
import { TASK_DOCUMENTS } from '../support/tasksReference.ts';

interface Pair {
  readonly context: string;
  readonly continuation: string;
  readonly context_ids: readonly number[];
  readonly continuation_ids: readonly number[];
}

const file = path.join(TASK_DOCUMENTS, 'expected-pairs.jsonl');
const expected = existsSync(file)
  ? readFileSync(file, 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Readonly<Record<string, string>>)
  : [];
const having = (name: string): unknown => expected.filter((row) => name in row);

describe.skipIf(expected.length === 0 || whyNoReferenceModel() !== undefined)(
  'what the harness makes (skipped without ../shared)',
  () => {
    it.each(having('context_ids') as readonly Pair[])('of $context and $continuation', async (pair) => {
      const tokenizer = await loadTokenizer(REFERENCE_MODEL);
      const encoder = {
        encode: (text: string) => tokenizer.encode(text),
        beginning: [],
        beginningText: '<s>',
        prefix: 0,
      };
      const { context, continuation } = encodePair(encoder, pair);
      expect([...context]).toEqual(pair.context_ids);
      expect([...continuation]).toEqual(pair.continuation_ids);
    });

    it.each(having('hellaswag_text') as readonly Record<'hellaswag_text' | 'cleaned', string>[])(
      'cleaned: $cleaned',
      (row) => {
        expect(cleanHellaSwag(row.hellaswag_text)).toBe(row.cleaned);
      },
    );

    it.each(having('ctx_b') as readonly Record<'ctx_b' | 'capitalized', string>[])(
      'capitalized: $capitalized',
      (row) => {
        expect(capitalize(row.ctx_b)).toBe(row.capitalized);
      },
    );
  },
);

/** Encodes letters by their codes, but that `ab` is one token, and `<s>`. */
const lettersOf = (beginning: readonly number[], prefix?: number): PairEncoder => ({
  encode: (text) =>
    Int32Array.from(text.match(/<s>|ab|[^]/gu) ?? [], (part) =>
      part === '<s>' ? 1 : part === 'ab' ? 2 : part.codePointAt(0)!,
    ),
  beginning,
  beginningText: '<s>',
  prefix,
});
const SPACE = 32;
const [a, b, c] = [97, 98, 99];

describe('a pair', () => {
  it.each<[string, PairEncoder, string, string, readonly number[], readonly number[]]>([
    ['has what stands before texts', lettersOf([1]), 'c', ' c', [1, c], [SPACE, c]],
    ['has nothing before', lettersOf([], 1), 'c', ' c', [c], [SPACE, c]],
    ['has no second one', lettersOf([1], 1), '<s>c', ' c', [1, c], [SPACE, c]],
    ['is split by length', lettersOf([]), 'ca', 'bc', [c, a], [c]],
    ['gives white space to its continuation', lettersOf([]), 'c\u0085 ', 'c', [c], [133, SPACE, c]],
    ['without context has the first token', lettersOf([], 1), '', ' c', [1], [SPACE, c]],
    ['or its own', lettersOf([], 1), '', '<s>b', [1], [b]],
  ])('%s', (_, encoder, context, continuation, contextIds, continuationIds) => {
    const pair = encodePair(encoder, { context, continuation });
    expect([[...pair.context], [...pair.continuation]]).toEqual([contextIds, continuationIds]);
  });

  it.each([
    [9, [0, 1, 2, 3], false],
    [5, [0, 1, 2, 3], false],
    [4, [1, 2, 3], true],
    [2, [3], true],
  ])('is cut from the left to %i tokens and one', (length, context, isCut) => {
    const pair = { context: Int32Array.of(0, 1, 2, 3), continuation: Int32Array.of(4, 5) };
    const cut = cutPair(pair, length);
    expect([...cut.context]).toEqual(context);
    expect(cut).toMatchObject({ continuation: pair.continuation, isCut });
  });

  it.each([
    ['c', ' cc', 2, 'tasks/too-long', '3 in choice 2'],
    ['ca', 'b', 9, 'tasks/document', 'none'],
    [' \n', ' c', 9, 'tasks/document', 'none'],
  ])(
    '%j and %j of %i tokens names document and choice where it cannot be asked',
    async (context, continuation, length, code, actual) => {
      const requests = [
        { context: 'c', continuation: 'c' },
        { context, continuation },
      ];
      const asked = { file: 'mine.jsonl', row: 6, requests, gold: 0, lengths: [1, 1] };
      const { data } = await failureOf(() => encodeDocument(lettersOf([]), asked, length));
      expect(data).toMatchObject({ code, actual, operation: 'reading document 7 of mine.jsonl' });
    },
  );
});
