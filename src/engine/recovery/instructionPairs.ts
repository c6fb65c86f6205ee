import { parseBoundedJson } from '../../base/boundedJson.ts';
import { EspalierError, throwIfCancelled } from '../../base/errors.ts';
import type { Recovery } from '../../experiment/recovery.ts';
import { fileProblem, reasonOf } from '../../files/fileProblem.ts';
import { openToRead } from '../../files/openRegular.ts';
import { readText } from '../../files/readBytes.ts';
import { corpusError, damaged } from '../corpus/corpusError.ts';
import { tooShort } from '../corpus/cutSamples.ts';
import type { Tokenizer } from '../tokenizer/tokenizer.ts';
import type { TrainingSequence } from './trainingPass.ts';

/** One row of a data set in the layout of Alpaca (Taori et al. 2023). */
export interface InstructionPair {
  readonly instruction: string;
  /** What the instruction is about; may be empty. */
  readonly input: string;
  readonly output: string;
}

/** Bytes of the longest file: Alpaca's has 23 million. */
const LONGEST_FILE = 2 ** 28;

/**
 * Instruction pairs, where a file holds such: a JSON array of objects, or one object a line, with the texts `instruction` and `output` and, if there
 * is one, `input`. Undefined where the file begins as neither, or its first row has no instruction: it is a text then, or a data set of texts.
 *
 * @throws EspalierError `corpus/damaged`, `corpus/row` for a row that is not like the first
 */
export async function readInstructionPairs(
  file: string,
  signal?: AbortSignal,
): Promise<readonly InstructionPair[] | undefined> {
  if (!(await mayHold(file))) return undefined;
  const text = await readText(file, { maxBytes: LONGEST_FILE, signal }).catch((thrown: unknown) => {
    if (thrown instanceof EspalierError) throw thrown;
    throw damaged(file, 'JSON', fileProblem(thrown).message);
  });
  const isArray = text.trimStart().startsWith('[');
  const rows = isArray ? arrayOf(text, file) : linesOf(text, file, signal);
  const first = rows.next();
  if (first.done || !isPair(first.value)) return undefined;
  const pairs = [pairOf(first.value, 1, file)];
  for (const row of rows) pairs.push(pairOf(row, pairs.length + 1, file));
  return pairs;
}

/** Bytes that are looked at first: data sets of texts can be longer than what is read here. */
const HEAD = 1 << 16;

/** An array of objects, or an object with a name: prose may begin with a bracket, and speak of an "instruction". */
const JSON_OF_OBJECTS = /^(?:\[\s*)?\{\s*"/;

/** Whether a file begins as JSON that speaks of instructions. Of one that cannot be read, whoever reads it as a text will say why. */
async function mayHold(file: string): Promise<boolean> {
  const handle = await openToRead(file).catch(() => undefined);
  if (!handle) return false;
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(HEAD), 0, HEAD, 0);
    const head = buffer
      .toString('utf8', 0, bytesRead)
      .replace(/^\ufeff/, '')
      .trimStart();
    return JSON_OF_OBJECTS.test(head) && head.includes('"instruction"');
  } finally {
    await handle.close();
  }
}

/**
 * Pairs as sequences of `length` tokens: what the model is told, and what it is to reply, with the tokenizer's own special tokens; cut where they are
 * longer, filled up where they are shorter. A reply ends with the token that ends texts. What fills up, and with `reply` what the model is told, does not count in the loss.
 *
 * @throws EspalierError `corpus/too-short` where nothing of any pair would count
 */
export function pairSequences(
  pairs: readonly InstructionPair[],
  tokenizer: Pick<Tokenizer, 'encode'>,
  options: PairOptions,
): readonly TrainingSequence[] {
  const { length, file } = options;
  const sequences = pairs
    .map((pair) => pairSequence(pair, tokenizer, options))
    .filter(({ counted }) => counted!.includes(1));
  if (sequences.length > 0) return sequences;
  throw tooShort(file, `replies that begin within ${length} tokens`, 'none');
}

export interface PairOptions extends Pick<Recovery, 'length' | 'loss'> {
  /** The token that ends a reply, where the model has one (`eos_token_id`). */
  readonly end: number | undefined;
  /** Where the pairs come from, for errors. */
  readonly file: string;
}

function pairSequence(
  pair: InstructionPair,
  tokenizer: Pick<Tokenizer, 'encode'>,
  { length, loss, end }: PairOptions,
): TrainingSequence {
  const prompt = promptOf(pair);
  const written = tokenizer.encode(`${prompt}${pair.output}`);
  const whole = end === undefined || written.at(-1) === end ? written : Int32Array.of(...written, end);
  const ids = new Int32Array(length);
  ids.set(whole.subarray(0, length));
  // The prompt's last token may have become one with the reply's first: that one is the reply's.
  const told = loss === 'reply' ? commonBeginning(tokenizer.encode(prompt), whole) : 1;
  const counted = new Uint8Array(length).fill(
    1,
    Math.min(length, told - 1),
    Math.max(0, Math.min(whole.length, length) - 1),
  );
  return { ids, counted };
}

function commonBeginning(a: Int32Array, b: Int32Array): number {
  const end = a.findIndex((id, index) => id !== b[index]);
  return Math.max(1, end < 0 ? a.length : end);
}

/** The two templates of Alpaca's training code (train.py of tatsu-lab/stanford_alpaca), which its models, and those trained on its data since, expect. */
export function promptOf({ instruction, input }: Pick<InstructionPair, 'instruction' | 'input'>): string {
  const [what, about] =
    input === '' ? ['', ''] : [', paired with an input that provides further context', `### Input:\n${input}\n\n`];
  const task = `Below is an instruction that describes a task${what}. Write a response that appropriately completes the request.`;
  return `${task}\n\n### Instruction:\n${instruction}\n\n${about}### Response:`;
}

function* arrayOf(text: string, file: string): Generator {
  const value = parsed(text, file, '');
  if (!Array.isArray(value)) throw damaged(file, 'JSON array', 'something else');
  yield* value as readonly unknown[];
}

function* linesOf(text: string, file: string, signal: AbortSignal | undefined): Generator {
  for (const [index, line] of text.split('\n').entries()) {
    if (index % 4096 === 0) throwIfCancelled(signal, `reading ${file}`);
    if (line.trim() !== '') yield parsed(line, file, ` in line ${index + 1}`);
  }
}

function parsed(text: string, file: string, where: string): unknown {
  try {
    return parseBoundedJson(text);
  } catch (thrown) {
    throw damaged(file, 'JSON', `${reasonOf(thrown).slice(0, 120)}${where}`);
  }
}

function isPair(row: unknown): row is Readonly<Record<string, unknown>> {
  return typeof row === 'object' && row !== null && 'instruction' in row && 'output' in row;
}

function pairOf(row: unknown, number: number, file: string): InstructionPair {
  const { instruction, input, output } = isPair(row) ? row : {};
  const about = input ?? '';
  if (typeof instruction === 'string' && typeof about === 'string' && typeof output === 'string') {
    return { instruction, input: about, output };
  }
  throw corpusError(
    'corpus/row',
    file,
    `texts \`instruction\`, \`output\` and, if any, \`input\` in row ${number}`,
    'another row',
    OTHER,
  );
}

const OTHER = 'Write one object a row, as Alpaca’s data has it, or train on a text.';
