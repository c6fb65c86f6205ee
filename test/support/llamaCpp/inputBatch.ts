import type { Batch, LlamaLibrary } from './library.ts';

/** One batch that is filled again and again; position and sequence of a token follow from its place. */
export class InputBatch {
  private readonly made: Batch;
  private readonly token: Int32Array;
  private readonly position: Int32Array;
  private readonly sequence: readonly Int32Array[];

  constructor(llama: LlamaLibrary, tokens: number) {
    this.made = llama.batch(tokens, 0, 1);
    const numbers = (address: bigint, count: number): Int32Array => new Int32Array(llama.view(address, 4 * count));
    this.token = numbers(this.made.token, tokens);
    this.position = numbers(this.made.pos, tokens);
    numbers(this.made.n_seq_id, tokens).fill(1);
    new Uint8Array(llama.view(this.made.logits, tokens)).fill(1);
    const lists = new BigUint64Array(llama.view(this.made.seq_id, 8 * tokens));
    this.sequence = Array.from(lists, (address) => numbers(address, 1));
  }

  /** @param at of the first token among those of all sequences, each of which has `length` */
  fill(ids: Int32Array, at: number, length: number): void {
    this.token.set(ids);
    for (let i = 0; i < ids.length; i++) {
      this.position[i] = (at + i) % length;
      this.sequence[i]![0] = Math.floor((at + i) / length);
    }
  }

  batch(tokens: number): Batch {
    return { ...this.made, n_tokens: tokens };
  }
}
