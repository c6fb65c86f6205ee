import { compileAddedTokens } from './addedTokens.ts';
import { BytePairs } from './bytePairs.ts';
import { reasonOf } from '../../files/fileProblem.ts';
import { compileNormalizer } from './normalizer.ts';
import { compilePreTokenizer } from './preTokenizer.ts';
import { readSpecialTokens } from './specialTokens.ts';
import { tokenizerError } from './tokenizerSpec.ts';
import { EspalierError } from '../../base/errors.ts';
import type { AddedToken, TextOrId } from './addedTokens.ts';
import type { IdBuffer } from './idBuffer.ts';
import type { Normalize } from './normalizer.ts';
import type { PreTokenizer } from './preTokenizer.ts';
import type { SpecialTokens } from './specialTokens.ts';
import type { TokenizerSpec } from './tokenizerSpec.ts';

/**
 * A tokenizer.json made ready to run. A text goes through it in this order: cut at added tokens, normalised, cut at those
 * added tokens that are looked for in normalised text, cut into words, merged into ids; then the special tokens are put around.
 */
export interface TokenizerPipeline {
  readonly file: string;
  readonly splitRaw: (text: string) => Iterable<TextOrId>;
  readonly normalize: Normalize;
  readonly splitNormalized: (text: string) => Iterable<TextOrId>;
  readonly preTokenizer: PreTokenizer;
  readonly bytePairs: BytePairs;
  readonly special: SpecialTokens;
  /** Ids of added tokens by their text. */
  readonly added: ReadonlyMap<string, number>;
  /** Ids of pieces that were met before: texts repeat their words. */
  readonly remembered: Map<string, readonly number[]>;
}

/** @throws EspalierError `checkpoint/tokenizer` */
export function compilePipeline(spec: TokenizerSpec, file: string): TokenizerPipeline {
  try {
    const bytePairs = new BytePairs(spec.model, file);
    const normalize = compileNormalizer(spec.normalizer);
    const added = readAddedTokens(spec, bytePairs.vocabulary, file);
    const inNormalized = added
      .filter((token) => token.isNormalized)
      .map((token) => ({ ...token, content: normalize(token.content) }));
    return {
      file,
      splitRaw: compileAddedTokens(added.filter((token) => !token.isNormalized)),
      normalize,
      splitNormalized: compileAddedTokens(inNormalized),
      preTokenizer: compilePreTokenizer(spec.pre_tokenizer),
      bytePairs,
      special: readSpecialTokens(spec.post_processor, file),
      added: new Map(added.map(({ content, id }) => [content, id])),
      remembered: new Map(),
    };
  } catch (thrown) {
    if (thrown instanceof EspalierError) throw thrown;
    throw tokenizerError(file, 'patterns that can be reproduced to the byte', reasonOf(thrown));
  }
}

/** Encodes the text into `ids`, stopping every now and then to say how many characters it has come. */
export function* encodeSteps(pipeline: TokenizerPipeline, text: string, ids: IdBuffer): Generator<number> {
  const output: Output = { ids, done: 0, stop: STRIDE };
  try {
    ids.pushAll(pipeline.special.before);
    let isStart = true;
    for (const section of pipeline.splitRaw(text)) {
      if (typeof section === 'number') ids.push(section);
      else yield* encodeSection(pipeline, section, isStart, output);
      isStart = false;
    }
    ids.pushAll(pipeline.special.after);
  } catch (thrown) {
    if (thrown instanceof EspalierError) throw thrown;
    // V8 gives up on a pattern that needs too much of its stack.
    throw tokenizerError(pipeline.file, 'patterns that can be matched on this text', reasonOf(thrown), BREAK_UP);
  }
}

const BREAK_UP = 'Break the text up with spaces or line ends.';

interface Output {
  readonly ids: IdBuffer;
  /** Characters encoded, and at how many to stop next. */
  done: number;
  stop: number;
}

/** Characters between two stops: a few milliseconds. */
const STRIDE = 2 ** 16;

function* encodeSection(
  pipeline: TokenizerPipeline,
  section: string,
  isStart: boolean,
  output: Output,
): Generator<number> {
  let atStart = isStart;
  const isLong = section.length > STRIDE;
  const normalized = pipeline.normalize(section);
  if (isLong) yield output.done;
  for (const part of pipeline.splitNormalized(normalized)) {
    if (isLong) yield output.done;
    if (typeof part === 'number') output.ids.push(part);
    else yield* encodeText(pipeline, part, atStart, output);
    atStart = false;
  }
}

function* encodeText(pipeline: TokenizerPipeline, text: string, isStart: boolean, output: Output): Generator<number> {
  const { preTokenizer, bytePairs } = pipeline;
  for (const piece of preTokenizer.split(text, isStart)) {
    if (piece.length <= REMEMBERED_LENGTH) {
      if (write(output, encodePiece(pipeline, piece), piece.length)) yield output.done;
      continue;
    }
    for (const word of preTokenizer.words(piece)) {
      for (const part of bytePairs.encodeLong(word)) {
        if (write(output, part.ids, part.length)) yield output.done;
      }
    }
  }
}

/** Whether it is time to stop. */
function write(output: Output, ids: readonly number[], length: number): boolean {
  output.ids.pushAll(ids);
  output.done += length;
  if (output.done < output.stop) return false;
  output.stop = output.done + STRIDE;
  return true;
}

function encodePiece({ preTokenizer, bytePairs, remembered }: TokenizerPipeline, piece: string): readonly number[] {
  const known = remembered.get(piece);
  if (known) return known;
  const ids: number[] = [];
  for (const word of preTokenizer.words(piece)) ids.push(...bytePairs.encode(word));
  if (remembered.size >= REMEMBERED) remembered.clear();
  remembered.set(piece, ids);
  return ids;
}

const REMEMBERED = 2 ** 17;
const REMEMBERED_LENGTH = 64;

function readAddedTokens(
  spec: TokenizerSpec,
  vocabulary: ReadonlyMap<string, number>,
  file: string,
): (AddedToken & { readonly isNormalized: boolean })[] {
  const seen = new Set<string>();
  let largest = -1;
  return spec.added_tokens.map((token) => {
    const name = JSON.stringify(token.content);
    // The Rust library goes by its own numbering whatever the file says: the vocabulary's id, or else the next free one.
    const id = vocabulary.get(token.content) ?? Math.max(largest + 1, vocabulary.size);
    if (id !== token.id) throw tokenizerError(file, `the added token ${name} to have the id ${id}`, `${token.id}`);
    if (seen.has(token.content)) throw tokenizerError(file, `the added token ${name} once`, 'it twice');
    seen.add(token.content);
    largest = Math.max(largest, id);
    return {
      id,
      content: token.content,
      singleWord: token.single_word,
      leftStrip: token.lstrip,
      rightStrip: token.rstrip,
      isNormalized: token.normalized,
    };
  });
}
