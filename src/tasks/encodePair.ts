import { stripEnd } from '../base/pythonText.ts';
import { documentError } from './document.ts';
import type { AskedDocument, TaskRequest } from './requests.ts';

/** What turns texts into ids, and what stands before them. */
export interface PairEncoder {
  /** Ids of a text alone, without what a tokenizer puts before and behind one. */
  readonly encode: (text: string) => Int32Array;
  /** Ids before every text: empty, or the token that begins one. */
  readonly beginning: readonly number[];
  /** Text of that token: a text that begins with it gets no second one. */
  readonly beginningText: string | undefined;
  /** The token that stands for an empty context: that which begins a text, else that which ends one. */
  readonly prefix: number | undefined;
}

/** A request as ids: the model is given context and continuation without the last, and asked for the continuation. */
export interface EncodedPair {
  readonly context: Int32Array;
  readonly continuation: Int32Array;
}

/**
 * Context and continuation as ids, as the harness splits them (`api/model.py`, `_encode_pair`): white space at the end of the context goes over
 * to the continuation; the continuation is what the ids of both together have beyond the *length* of those of the context. Where a merge crosses the
 * border, context and continuation are therefore not the ids of the text.
 *
 * @returns an empty continuation where it adds no token; an empty context where nothing can stand for it
 */
export function encodePair(encoder: PairEncoder, { context, continuation }: TaskRequest): EncodedPair {
  if (context === '') return withPrefix(encoder, continuation);
  const before = stripEnd(context);
  const start = withBeginning(encoder, before);
  const whole = withBeginning(encoder, before + context.slice(before.length) + continuation);
  return { context: start, continuation: whole.slice(start.length) };
}

function withPrefix({ encode, prefix }: PairEncoder, continuation: string): EncodedPair {
  const ids = encode(continuation);
  if (prefix === undefined) return { context: new Int32Array(), continuation: ids };
  if (ids[0] === prefix) return { context: ids.slice(0, 1), continuation: ids.slice(1) };
  return { context: Int32Array.of(prefix), continuation: ids };
}

/** Ids of a text behind what begins one. */
export function withBeginning({ encode, beginning, beginningText }: PairEncoder, text: string): Int32Array {
  const ids = encode(text);
  if (beginning.length === 0 || (beginningText !== undefined && text.startsWith(beginningText))) return ids;
  const all = new Int32Array(beginning.length + ids.length);
  all.set(beginning);
  all.set(ids, beginning.length);
  return all;
}

/** A pair that fits into a model. */
export interface CutPair extends EncodedPair {
  /** Whether tokens of the context were left out. */
  readonly isCut: boolean;
}

/**
 * The last `length` + 1 ids of a pair: the context is cut from the left, what begins a text first of all.
 *
 * @param length tokens that the model takes
 * @throws RangeError for a continuation that is longer than that
 */
export function cutPair({ context, continuation }: EncodedPair, length: number): CutPair {
  if (continuation.length > length) throw new RangeError(`${continuation.length} tokens of ${length}`);
  const kept = Math.min(context.length, length + 1 - continuation.length);
  return { context: context.subarray(context.length - kept), continuation, isCut: kept < context.length };
}

/** The requests of a document as ids that fit into a model. @throws EspalierError `tasks/too-long`, `tasks/document` */
export function encodeDocument(ofTexts: PairEncoder, asked: AskedDocument, length: number): readonly CutPair[] {
  // Choices have most contexts in common.
  const known = new Map<string, Int32Array>();
  const encode = (text: string): Int32Array => {
    const ids = known.get(text) ?? ofTexts.encode(text);
    known.set(text, ids);
    return ids;
  };
  const encoder = { ...ofTexts, encode };
  return asked.requests.map((request, choice) => {
    const pair = encodePair(encoder, request);
    if (pair.continuation.length === 0 || pair.context.length === 0) throw noTokens(asked, choice, pair);
    if (pair.continuation.length > length) {
      const actual = `${pair.continuation.length} in choice ${choice + 1}`;
      const remedy = 'Leave the document out: a choice is never cut.';
      throw documentError(asked, `choices of at most ${length} tokens`, actual, remedy, 'tasks/too-long');
    }
    return cutPair(pair, length);
  });
}

function noTokens(asked: AskedDocument, choice: number, { context }: EncodedPair): Error {
  const which = context.length === 0 ? 'context' : 'continuation';
  return documentError(
    asked,
    `tokens in the ${which} of choice ${choice + 1}`,
    'none',
    which === 'context'
      ? 'Put text before the choices, or choose a tokenizer with a token that begins texts.'
      : 'Correct the document: behind its context the choice adds nothing.',
  );
}
