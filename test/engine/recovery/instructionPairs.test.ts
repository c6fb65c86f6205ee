import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { EspalierError } from '../../../src/base/errors.ts';
import { Rng } from '../../../src/base/rng.ts';
import { pairSequences, promptOf, readInstructionPairs } from '../../../src/engine/recovery/instructionPairs.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'espalier-pairs-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function read(content: string, name = 'pairs.json') {
  const file = path.join(folder, name);
  await writeFile(file, content);
  return readInstructionPairs(file);
}

const ROWS = [
  { instruction: 'Add.', input: '1 and 2', output: '3' },
  { instruction: 'Greet.', input: '', output: 'Hello' },
];

test.each([
  ['an array', JSON.stringify(ROWS), ROWS],
  ['an array over many lines, with a mark before it', `\ufeff${JSON.stringify(ROWS, null, 2)}`, ROWS],
  ['an object a line', ROWS.map((row) => JSON.stringify(row)).join('\n'), ROWS],
  [
    'lines with empty ones between and Windows ends',
    `${ROWS.map((row) => JSON.stringify(row)).join('\r\n\r\n')}\r\n`,
    ROWS,
  ],
  [
    'rows without input',
    '[{"instruction":"a","output":"b","text":"c"}]',
    [{ instruction: 'a', input: '', output: 'b' }],
  ],
  [
    'input that is null',
    '[{"instruction":"a","input":null,"output":"b"}]',
    [{ instruction: 'a', input: '', output: 'b' }],
  ],
  ['prose', 'Once "instruction" was a word.', undefined],
  ['rows of texts', '{"text":"an instruction"}\n{"text":"another"}', undefined],
  ['other rows that speak of it', '{"text":"\\"instruction\\"","instruction":"a"}', undefined],
  ['a row that is another', '[{"instruction":"a","output":"b"},{"instruction":"a"}]', 'corpus/row'],
  ['a number for a text', '[{"instruction":"a","output":"b"},{"instruction":1,"output":"b"}]', 'corpus/row'],
  ['a list for a row', '[{"instruction":"a","output":"b"},["instruction","output"]]', 'corpus/row'],
  ['an array that is cut off', '[{"instruction":"a","output":"b"}', 'corpus/damaged'],
  ['a line that is cut off', '{"instruction":"a","output":"b"}\n{"instruction"', 'corpus/damaged'],
  ['a nest', `[{"instruction":"a","output":${'['.repeat(100_000)}`, 'corpus/damaged'],
] as const)('%s', async (_, content, expected) => {
  if (typeof expected === 'string') await expect(read(content)).rejects.toMatchObject({ data: { code: expected } });
  else expect(await read(content)).toEqual(expected);
});

test.each([
  '[Editor’s note: the word "instruction" is used here as in the manual.]\n\nChapter one',
  '{\\rm \\TeX} and its "instruction" set',
  '["a text of \\"instruction\\"", "another"]',
])('prose that begins with a bracket and speaks of an instruction is a text: %s', async (text) => {
  expect(await read(text, 'prose.txt')).toBeUndefined();
});

test('a file that is not there is left to who reads texts', async () => {
  expect(await readInstructionPairs(path.join(folder, 'nowhere.json'))).toBeUndefined();
  expect(await readInstructionPairs(folder)).toBeUndefined();
});

test('whatever stands in a file ends in pairs, in nothing, or in a coded error', async () => {
  const rng = new Rng(9);
  const whole = JSON.stringify(ROWS);
  for (let i = 0; i < 300; i++) {
    const at = rng.integer(whole.length);
    const mutated = whole.slice(0, at) + String.fromCharCode(rng.integer(128)) + whole.slice(at + rng.integer(4));
    const outcome = await read(mutated, 'mutated.json').catch((error: unknown) => error);
    if (outcome instanceof Error) expect(outcome).toBeInstanceOf(EspalierError);
  }
});

test('a prompt is that of Alpaca’s code, with an input and without', () => {
  expect(promptOf(ROWS[0]!)).toMatch(
    /further context\. .*\n\n### Instruction:\nAdd\.\n\n### Input:\n1 and 2\n\n### Response:$/,
  );
  expect(promptOf(ROWS[1]!)).toMatch(/describes a task\. .*\n\n### Instruction:\nGreet\.\n\n### Response:$/);
});

/** A token for each character; those of the beginning are one more. */
const tokenizer = {
  encode: (text: string) => Int32Array.from(['\u0001', ...Array.from(text)], (one) => one.codePointAt(0)! % 300),
};
const END = 299;

test.each(['everything', 'reply'] as const)('loss on %s: what counts is said token by token', (loss) => {
  const told = promptOf(ROWS[1]!).length;
  const length = told + 12;
  const [sequence] = pairSequences([ROWS[1]!], tokenizer, { length, loss, end: END, file: 'x' });
  const ids = sequence!.ids;
  const counted = sequence!.counted!;
  // Begin, prompt, "Hello", end; the rest fills up.
  const used = 1 + told + 5 + 1;
  expect([...ids.subarray(1 + told, used)]).toEqual([...Array.from('Hello', (one) => one.codePointAt(0)!), END]);
  expect(ids.subarray(used).every((id) => id === 0)).toBe(true);
  // Row t predicts token t + 1: the last that counts predicts the end.
  const first = loss === 'reply' ? told : 0;
  expect(counted.indexOf(1)).toBe(first);
  expect(counted.lastIndexOf(1)).toBe(used - 2);
  expect(counted.reduce((sum, one) => sum + one, 0)).toBe(used - 1 - first);
});

test('a pair is cut to the length, and one whose reply begins behind it is left out', () => {
  const options = { length: promptOf(ROWS[1]!).length + 3, loss: 'reply', end: END, file: 'x' } as const;
  const sequences = pairSequences(ROWS, tokenizer, options);
  expect(sequences.length).toBe(1);
  expect(sequences[0]!.counted!.reduce((sum, one) => sum + one, 0)).toBe(2);
  expect(() => pairSequences(ROWS, tokenizer, { ...options, length: 8 })).toThrow(/replies that begin within 8 tokens/);
});
