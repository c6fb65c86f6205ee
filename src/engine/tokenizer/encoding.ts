import { setImmediate } from 'node:timers/promises';
import { throwIfCancelled } from '../../base/errors.ts';
import { IdBuffer } from './idBuffer.ts';
import { encodeSteps, type TokenizerPipeline } from './tokenizerPipeline.ts';

export interface EncodeHooks {
  readonly signal?: AbortSignal | undefined;
  /** Characters done, of `total`. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/**
 * A text on its way to token ids: no more of them are made than are asked for.
 *
 * Those that are made are the whole text's, whatever tokenizer it is: the pipeline goes over the text from the left, and gives an id out when
 * nothing that follows can change it. What is done to a text as a whole before that (finding the first added token, normalising) is done to
 * the whole.
 */
export class Encoding {
  private readonly ids = new IdBuffer();
  private readonly steps: Generator<number>;
  private readonly length: number;
  private readonly check: (ids: Int32Array) => void;
  private checked = 0;
  /** Characters that are encoded. */
  private done = 0;
  private isDone = false;
  private failure: { readonly thrown: unknown } | undefined;

  /** @param check throws for ids that must not be */
  constructor(pipeline: TokenizerPipeline, text: string, check: (ids: Int32Array) => void) {
    this.steps = encodeSteps(pipeline, text.toWellFormed(), this.ids);
    this.length = text.length;
    this.check = check;
  }

  /** Whether all ids are made. */
  get isWhole(): boolean {
    return this.isDone;
  }

  /**
   * The first `count` ids of the text, the special tokens around it among them; all, where there are fewer. Gives way to other work every few
   * milliseconds, and between what is done to a whole text. What was cancelled goes on when it is asked again.
   *
   * @throws EspalierError `cancelled`, `checkpoint/tokenizer`
   */
  async first(count: number, { signal, onProgress }: EncodeHooks = {}): Promise<Int32Array> {
    throwIfCancelled(signal, 'tokenising');
    while (this.advance(count)) {
      if (this.done > 0) onProgress?.(Math.min(this.done, this.length), this.length);
      await setImmediate();
      throwIfCancelled(signal, 'tokenising');
    }
    return this.taken(count);
  }

  /** All of them at once. */
  whole(): Int32Array {
    while (this.advance(Infinity));
    return this.taken(Infinity);
  }

  /** One step towards `count` ids. Whether more are wanted after it. */
  private advance(count: number): boolean {
    // A generator that has thrown says that it is done.
    if (this.failure) throw this.failure.thrown;
    if (this.isDone || this.ids.length >= count) return false;
    this.ids.wanted = count;
    try {
      const step = this.steps.next();
      this.isDone = step.done === true;
      if (!step.done) this.done = step.value;
    } catch (thrown) {
      this.failure = { thrown };
      throw thrown;
    }
    return !this.isDone && this.ids.length < count;
  }

  private taken(count: number): Int32Array {
    const ids = this.ids.slice(0, count);
    if (ids.length > this.checked) this.check(ids.subarray(this.checked));
    this.checked = Math.max(this.checked, ids.length);
    return ids;
  }
}
