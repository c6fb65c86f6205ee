import { compileAddedTokens, readAddedTokens } from './addedTokens.ts';
import { BytePairs } from './bytePairs.ts';
import { reasonOf } from '../../files/fileProblem.ts';
import { compileNormalizer, normalizeNow } from './normalizer.ts';
import { compilePreTokenizer } from './preTokenizer.ts';
import { readSpecialTokens } from './specialTokens.ts';
import { BREAK_UP, tokenizerError } from './tokenizerError.ts';
import { Unigram } from './unigram.ts';
import { WordLevel } from './wordLevel.ts';
import { WordPiece } from './wordPiece.ts';
import { EspalierError } from '../../base/errors.ts';
import type { TextOrId } from './addedTokens.ts';
import type { IdBuffer } from './idBuffer.ts';
import type { ModelSpec } from './modelSpec.ts';
import type { Normalize } from './normalizer.ts';
import type { PreTokenizer } from './preTokenizer.ts';
import type { SpecialTokens } from './specialTokens.ts';
import type { TokenModel } from './tokenModel.ts';
import type { TokenizerSpec } from './tokenizerSpec.ts';

/**
 * A tokenizer.json made ready to run. A text goes through it in this order: cut at added tokens, normalised, cut at those
 * added tokens that are looked for in normalised text, cut into words, made ids; then the special tokens are put around.
 */
export interface TokenizerPipeline {
  readonly file: string;
  readonly splitRaw: (text: string) => Iterable<TextOrId>;
  readonly normalize: Normalize;
  readonly splitNormalized: (text: string) => Iterable<TextOrId>;
  readonly preTokenizer: PreTokenizer;
  readonly model: TokenModel;
  readonly special: SpecialTokens;
  /** Ids of added tokens by their text. */
  readonly added: ReadonlyMap<string, number>;
  /** Texts of those added tokens that are no part of a text. */
  readonly skipped: ReadonlySet<string>;
  /** The decoder as it stands in the file: who only encodes needs none. */
  readonly decoder: unknown;
  /** Ids of pieces that were met before: texts repeat their words. */
  readonly remembered: Map<string, readonly number[]>;
}

/** @throws EspalierError `checkpoint/tokenizer` */
export function compilePipeline(spec: TokenizerSpec, file: string): TokenizerPipeline {
  try {
    const model = compileModel(spec.model, file);
    const normalize = compileNormalizer(spec.normalizer, file);
    const added = readAddedTokens(spec, model, (content) => normalizeNow(normalize, content), file);
    return {
      file,
      splitRaw: compileAddedTokens(added.inRaw),
      normalize,
      splitNormalized: compileAddedTokens(added.inNormalized),
      preTokenizer: compilePreTokenizer(spec.pre_tokenizer),
      model,
      special: readSpecialTokens(spec.post_processor, file),
      added: added.ids,
      skipped: added.special,
      decoder: spec.decoder,
      remembered: new Map(),
    };
  } catch (thrown) {
    if (thrown instanceof EspalierError) throw thrown;
    throw tokenizerError(file, 'patterns that can be reproduced to the byte', reasonOf(thrown).slice(0, 200));
  }
}

function compileModel(spec: ModelSpec, file: string): TokenModel {
  switch (spec.type) {
    case 'BPE':
      return new BytePairs(spec, file);
    case 'WordPiece':
      return new WordPiece(spec, file);
    case 'WordLevel':
      return new WordLevel(spec, file);
    case 'Unigram':
      return new Unigram(spec, file);
  }
}

/**
 * Encodes the text into `ids`, stopping every now and then, and where there are as many as are wanted, to say how many characters it has come.
 * An id that is there stays.
 */
export function* encodeSteps(pipeline: TokenizerPipeline, text: string, ids: IdBuffer): Generator<number> {
  const output: Output = { ids, done: 0, stop: STRIDE };
  try {
    ids.pushAll(pipeline.special.before);
    let isStart = true;
    for (const section of pipeline.splitRaw(text)) {
      if (typeof section === 'number') ids.push(section);
      else yield* encodeSection(pipeline, section.text, isStart, output);
      isStart = false;
    }
    ids.pushAll(pipeline.special.after);
  } catch (thrown) {
    if (thrown instanceof EspalierError) throw thrown;
    // V8 gives up on a pattern that needs too much of its stack.
    throw tokenizerError(
      pipeline.file,
      'patterns that can be matched on this text',
      reasonOf(thrown).slice(0, 200),
      BREAK_UP,
    );
  }
}

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
  const isLong = section.length > STRIDE;
  const normalizing = pipeline.normalize(section, isStart ? firstLength(section) : 0);
  let step = normalizing.next();
  for (; !step.done; step = normalizing.next()) yield output.done;
  if (isLong) yield output.done;
  const { text, head } = step.value;
  for (const part of pipeline.splitNormalized(text)) {
    if (isLong) yield output.done;
    if (typeof part === 'number') output.ids.push(part);
    else yield* encodeText(pipeline, part.text, Math.max(0, Math.min(head - part.begin, part.text.length)), output);
  }
}

/** UTF-16 units of the first character. */
function firstLength(text: string): number {
  return text.codePointAt(0)! > 0xffff ? 2 : 1;
}

function* encodeText(pipeline: TokenizerPipeline, text: string, head: number, output: Output): Generator<number> {
  const { preTokenizer, model } = pipeline;
  for (const piece of preTokenizer.split(text, head)) {
    if (piece.length <= REMEMBERED_LENGTH) {
      if (write(output, encodePiece(pipeline, piece), piece.length)) yield output.done;
      continue;
    }
    for (const word of preTokenizer.words(piece)) {
      for (const { ids, length } of model.encodeLong(word)) {
        // What takes long without an id gives way, too.
        if (write(output, ids, length) || ids.length === 0) yield output.done;
      }
    }
  }
}

/** Whether it is time to stop. */
function write(output: Output, ids: readonly number[], length: number): boolean {
  output.ids.pushAll(ids);
  output.done += length;
  if (output.done < output.stop && !output.ids.hasWanted) return false;
  output.stop = output.done + STRIDE;
  return true;
}

function encodePiece({ preTokenizer, model, remembered }: TokenizerPipeline, piece: string): readonly number[] {
  const known = remembered.get(piece);
  if (known) return known;
  const ids: number[] = [];
  for (const word of preTokenizer.words(piece)) for (const id of model.encode(word)) ids.push(id);
  if (remembered.size >= REMEMBERED) remembered.clear();
  remembered.set(piece, ids);
  return ids;
}

const REMEMBERED = 2 ** 17;
const REMEMBERED_LENGTH = 64;
