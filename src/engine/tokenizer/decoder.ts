import { charactersAsBytes } from './byteLevel.ts';
import { compileReplacePattern, compileReplaceText } from './replace.ts';
import { compilePattern } from './splitPattern.ts';
import { tokenizerError } from './tokenizerError.ts';
import { schemaProblem } from '../../base/schemaProblem.ts';
import { reasonOf } from '../../files/fileProblem.ts';
import { DECODER, type DecoderSpec, type PlainDecoderSpec } from './decoderSpec.ts';
import type { MetaspaceSpec } from './preTokenizerSpec.ts';

/** Makes the text of tokens, as they stand in the vocabulary. */
export type Decode = (tokens: readonly string[]) => string;

/** One decoder of a sequence: tokens → what the next one takes for tokens. */
type Step = (tokens: readonly string[]) => readonly string[];

/**
 * The decoder of a tokenizer.json as the Rust library runs it (`tokenizers/src/decoders`). Without one, tokens stand with a space between them.
 *
 * @param spec what the file has there, unchecked
 * @throws EspalierError `checkpoint/tokenizer` for a decoder that is not reproduced, such as CTC
 */
export function compileDecoder(spec: unknown, file: string): Decode {
  if (spec === undefined || spec === null) return (tokens) => tokens.join(' ');
  const parsed = DECODER.safeParse(spec);
  if (!parsed.success) {
    const { where, expected, actual } = schemaProblem(parsed.error, spec);
    throw tokenizerError(file, `the decoder${where && `, at ${where},`} to be ${expected}`, actual, UNKNOWN);
  }
  try {
    const steps = stepsOf(parsed.data);
    return (tokens) => steps.reduce((parts, step) => step(parts), tokens).join('');
  } catch (thrown) {
    throw tokenizerError(file, 'patterns that can be reproduced to the byte', reasonOf(thrown).slice(0, 200));
  }
}

const UNKNOWN =
  'Text cannot be made of this tokenizer’s ids: measure log-likelihoods instead, or restore its tokenizer.json if it was changed.';

function stepsOf(spec: DecoderSpec): readonly Step[] {
  return spec.type === 'Sequence' ? spec.decoders.flatMap(stepsOf) : [stepOf(spec)];
}

function stepOf(spec: PlainDecoderSpec): Step {
  switch (spec.type) {
    case 'ByteLevel':
      return (tokens) => [UTF8.decode(Buffer.concat(tokens.map(bytesOf)))];
    case 'ByteFallback':
      return joinBytes;
    case 'Fuse':
      return (tokens) => [tokens.join('')];
    case 'WordPiece':
      return (tokens) => tokens.map((token, index) => wordPiece(token, index === 0, spec));
    case 'BPEDecoder':
      return (tokens) =>
        tokens.map((token, index) => token.split(spec.suffix).join(index === tokens.length - 1 ? '' : ' '));
    case 'Strip':
      return (tokens) => tokens.map((token) => strip(token, spec));
    case 'Replace': {
      const { pattern, content } = spec;
      const replace =
        'String' in pattern
          ? compileReplaceText(pattern.String, content)
          : compileReplacePattern(compilePattern(pattern), content);
      return (tokens) => tokens.map(replace);
    }
    case 'Metaspace':
      return (tokens) => tokens.map((token, index) => metaspace(token, index === 0, spec));
  }
}

const UTF8 = new TextDecoder('utf-8', { ignoreBOM: true });

/** A token that has other characters than those of the bytes is an added one: it stands for itself. */
function bytesOf(token: string): Uint8Array {
  return charactersAsBytes(token) ?? Buffer.from(token);
}

/** A hexadecimal byte as Rust reads it: with a sign, too. */
const BYTE_TOKEN = /^<0x([0-9a-fA-F]{2}|\+[0-9a-fA-F])>$/;

/** Runs of tokens such as <0xE4> become the text that they are the bytes of; where they are none, each is a U+FFFD. */
function joinBytes(tokens: readonly string[]): readonly string[] {
  const joined: string[] = [];
  let run: number[] = [];
  const flush = (): void => {
    if (run.length === 0) return;
    const text = strictText(Uint8Array.from(run));
    joined.push(text ?? '\ufffd'.repeat(run.length));
    run = [];
  };
  for (const token of tokens) {
    const byte = BYTE_TOKEN.exec(token)?.[1];
    if (byte !== undefined) {
      run.push(Number.parseInt(byte, 16));
      continue;
    }
    flush();
    joined.push(token);
  }
  flush();
  return joined;
}

function strictText(bytes: Uint8Array): string | undefined {
  try {
    return STRICT_UTF8.decode(bytes);
  } catch {
    return undefined;
  }
}

const STRICT_UTF8 = new TextDecoder('utf-8', { ignoreBOM: true, fatal: true });

function wordPiece(
  token: string,
  isFirst: boolean,
  { prefix, cleanup }: Extract<PlainDecoderSpec, { type: 'WordPiece' }>,
): string {
  const placed = isFirst ? token : token.startsWith(prefix) ? token.slice(prefix.length) : ` ${token}`;
  return cleanup ? CLEAN_UP.reduce((text, [wanted, content]) => text.split(wanted).join(content), placed) : placed;
}

const CLEAN_UP: readonly (readonly [wanted: string, content: string])[] = [
  [' .', '.'],
  [' ?', '?'],
  [' !', '!'],
  [' ,', ','],
  [" ' ", "'"],
  [" n't", "n't"],
  [" 'm", "'m"],
  [' do not', " don't"],
  [" 's", "'s"],
  [" 've", "'ve"],
  [" 're", "'re"],
];

/** Takes a character away from both ends, so many times at most. */
function strip(token: string, { content, start, stop }: Extract<PlainDecoderSpec, { type: 'Strip' }>): string {
  const characters = Array.from(token);
  let begin = 0;
  while (begin < Math.min(start, characters.length) && characters[begin] === content) begin++;
  let end = characters.length;
  while (end > begin && characters.length - end < stop && characters[end - 1] === content) end--;
  return characters.slice(begin, end).join('');
}

/** Visible spaces become spaces; those that the first token begins with were put there when the text was encoded. */
function metaspace(
  token: string,
  isFirst: boolean,
  { replacement, prepend_scheme, add_prefix_space }: MetaspaceSpec,
): string {
  const isPrefixed = isFirst && (prepend_scheme ?? (add_prefix_space === false ? 'never' : 'always')) !== 'never';
  return token.split(replacement).join(isPrefixed ? '' : ' ');
}
