import path from 'node:path';
import { sha256 } from '../checkpoint/hashing.ts';
import { compileDecoder, type Decode } from './decoder.ts';
import { type EncodeHooks, Encoding } from './encoding.ts';
import { tokenizerIdentity } from '../checkpoint/identity.ts';
import { readBounded } from '../checkpoint/jsonFile.ts';
import { requireTokenizer } from '../checkpoint/requireTokenizer.ts';
import { readTokenSettings, TOKENIZER_CONFIG } from '../checkpoint/tokenSettings.ts';
import { applyTokenizerConfig, type SpecialTokens } from './specialTokens.ts';
import { compilePipeline } from './tokenizerPipeline.ts';
import { tokenizerError } from './tokenizerError.ts';
import { parseTokenizerSpec } from './tokenizerSpec.ts';
import type { EspalierError } from '../../base/errors.ts';
import type { TokenizerPipeline } from './tokenizerPipeline.ts';

/** Turns texts into token ids and back, exactly as the Rust tokenizers library does. */
export interface Tokenizer {
  /**
   * Ids of the whole text, with the special tokens around it that Hugging Face adds by default. A lone surrogate, which no
   * UTF-8 text can hold, counts as U+FFFD.
   *
   * @param options.special false: without the tokens around it; those that stand in the text are found all the same
   * @throws EspalierError `checkpoint/tokenizer` when the checkpoint has no rows for an id (see {@link TokenizerOptions}).
   */
  encode(text: string, options?: { readonly special?: boolean }): Int32Array;
  /**
   * The same, giving way to other work every few milliseconds, and between what is done to a whole text.
   *
   * @throws EspalierError `cancelled`, too
   */
  encodeAsync(text: string, hooks?: EncodeHooks): Promise<Int32Array>;
  /** The same for who may need no more than the first ids. */
  encoding(text: string): Encoding;
  /**
   * The text of token ids, without the special tokens among them; an id without a token is nothing. A byte that is no part of a character
   * is U+FFFD. See {@link TextStream} for ids that come one by one.
   *
   * @param options.special whether special tokens are texts like others
   * @throws EspalierError `checkpoint/tokenizer` where the file's decoder is one that is not reproduced
   */
  decode(ids: Iterable<number>, options?: { readonly special?: boolean }): string;
  /** What is put around every text. */
  readonly around: SpecialTokens;
  /** The id of a token by its text. */
  idOf(token: string): number | undefined;
  /** The token with that id as the file writes it. */
  tokenOf(id: number): string | undefined;
  /** See {@link tokenizerIdentity}: of the bytes that were read. */
  readonly identity: string;
}

export interface TokenizerOptions {
  /** Rows of the checkpoint's embedding: a text that needs more is an error, since the tokenizer is another model's. */
  readonly vocabulary?: number;
}

/**
 * Loads tokenizer.json of a checkpoint folder; tokenizer_config.json beside it may switch the tokens at start and end.
 *
 * @throws EspalierError `checkpoint/tokenizer`
 */
export async function loadTokenizer(folder: string, options?: TokenizerOptions): Promise<Tokenizer> {
  return (await readTokenizer(folder)).compile(options);
}

/** A tokenizer whose files are read, and nothing more: compiling 128 000 tokens takes a second. */
export interface UncompiledTokenizer {
  /** {@link Tokenizer.identity} */
  readonly identity: string;
  /** @throws EspalierError `checkpoint/tokenizer` */
  compile(options?: TokenizerOptions): Tokenizer;
}

/** The first half of {@link loadTokenizer}. @throws EspalierError `checkpoint/tokenizer` */
export async function readTokenizer(folder: string): Promise<UncompiledTokenizer> {
  const file = await requireTokenizer(folder);
  const bytes = await readBounded(file, 'checkpoint/tokenizer', MAX_TOKENIZER);
  const settings = await readTokenSettings(folder);
  const identity = tokenizerIdentity(sha256(bytes), settings);
  return {
    identity,
    compile({ vocabulary } = {}) {
      const pipeline = compilePipeline(parseTokenizerSpec(bytes, file), file);
      const { added, model } = pipeline;
      const special = applyTokenizerConfig(
        pipeline.special,
        settings,
        (token) => added.get(token) ?? model.vocabulary.get(token),
        path.join(folder, TOKENIZER_CONFIG),
      );
      return createTokenizer({ ...pipeline, special }, identity, vocabulary);
    },
  };
}

/** Real ones go up to 35 megabytes. */
const MAX_TOKENIZER = 2 ** 28;

function createTokenizer(pipeline: TokenizerPipeline, identity: string, vocabulary: number | undefined): Tokenizer {
  const vocabularySize = 1 + largest([...pipeline.model.vocabulary.values(), ...pipeline.added.values()]);
  const check = (ids: Int32Array): void => {
    if (vocabulary !== undefined && largest(ids) >= vocabulary) {
      throw wrongTokenizer(pipeline.file, vocabulary, largest(ids), vocabularySize);
    }
  };
  const idOf = (token: string): number | undefined => pipeline.added.get(token) ?? pipeline.model.vocabulary.get(token);
  // Most who encode never decode: 128 000 tokens by their ids take a while.
  let tokens: ReadonlyMap<number, string> | undefined;
  let decoder: Decode | undefined;
  const tokenOf = (id: number): string | undefined => (tokens ??= tokensById(pipeline)).get(id);
  return {
    identity,
    around: pipeline.special,
    idOf,
    tokenOf,
    decode(ids, { special = false } = {}) {
      decoder ??= compileDecoder(pipeline.decoder, pipeline.file);
      const texts = Array.from(ids, tokenOf).filter((token) => token !== undefined);
      return decoder(special ? texts : texts.filter((token) => !pipeline.skipped.has(token)));
    },
    encode(text, { special = true } = {}) {
      const around = special ? pipeline : { ...pipeline, special: NOTHING_AROUND };
      return new Encoding(around, text, check).whole();
    },
    encodeAsync: (text, hooks) => new Encoding(pipeline, text, check).first(Infinity, hooks),
    encoding: (text) => new Encoding(pipeline, text, check),
  };
}

const NOTHING_AROUND: SpecialTokens = { before: [], after: [] };

/** Of two with one id the added token counts. */
function tokensById({ model, added }: TokenizerPipeline): ReadonlyMap<number, string> {
  return new Map(Array.from([...model.vocabulary, ...added], ([token, id]) => [id, token]));
}

/** −1 when there is none. */
function largest(ids: Iterable<number>): number {
  let found = -1;
  for (const id of ids) if (id > found) found = id;
  return found;
}

function wrongTokenizer(file: string, vocabulary: number, id: number, size: number): EspalierError {
  return tokenizerError(
    file,
    `token ids below ${vocabulary}, the vocab_size of config.json`,
    `id ${id} (the tokenizer has ${size})`,
    'The tokenizer is not the one of this checkpoint: restore its own tokenizer.json.',
  );
}
