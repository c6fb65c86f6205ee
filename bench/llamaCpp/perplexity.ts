import { readFileSync } from 'node:fs';
import { clockOf } from '../clock.ts';
import { tokenHash } from '../tokenHash.ts';
import { InputBatch } from '../../test/support/llamaCpp/inputBatch.ts';
import { type LlamaLibrary, loadLlamaCpp } from '../../test/support/llamaCpp/library.ts';

/** How llama.cpp is asked to compute. */
export interface LlamaCppSettings {
  readonly weights: 'F32' | 'BF16';
  readonly flashAttention: boolean;
  /** Tokens of one call, and of one graph (`n_batch` and `n_ubatch`). */
  readonly batch: number;
}

export interface LlamaCppJob extends LlamaCppSettings {
  /** Folder of the libraries. */
  readonly folder: string;
  /** GGUF. */
  readonly model: string;
  readonly text: string;
  readonly length: number;
  readonly blocks: number;
  readonly threads: number;
  /** Count seconds of processor, of all threads. */
  readonly processor: boolean;
}

export interface LlamaCppAnswer {
  readonly value: number;
  /** Decoding alone: the model is loaded, the text tokenised. */
  readonly seconds: number;
  /** Seconds of what is ours: Node's start, and the loss. The peer is not charged for them. */
  readonly ours: number;
  /** Resident set before llama.cpp is loaded, MiB: Node's. */
  readonly memoryBefore: number;
  /** Hash of the token ids. */
  readonly tokens: string;
  readonly backend: string;
}

/** Dense perplexity of the first blocks of a text, all logits computed, key-value cache in float32. */
export async function llamaCppPerplexity(job: LlamaCppJob): Promise<LlamaCppAnswer> {
  const now = clockOf(job.processor);
  const memoryBefore = process.memoryUsage().rss / 2 ** 20;
  // Both clocks begin with the process.
  let ours = now();
  const llama = await loadLlamaCpp(job.folder);
  const model = llama.loadModel(job.model);
  if (!model) throw new Error(`llama.cpp cannot load ${job.model}`);
  const vocabulary = llama.vocabulary(model);
  const ids = tokenise(llama, vocabulary, job);
  const sequences = Math.max(1, Math.min(job.blocks, Math.floor(job.batch / job.length)));
  const context = llama.context(model, {
    ...llama.contextDefaults(),
    ...{ n_ctx: sequences * job.length, n_seq_max: sequences, n_batch: job.batch, n_ubatch: job.batch },
    ...{ n_threads: job.threads, n_threads_batch: job.threads },
    ...{ flash_attn_type: Number(job.flashAttention), type_k: F32, type_v: F32 },
  });
  if (!context) throw new Error('llama.cpp makes no context of these settings');

  const width = llama.vocabularySize(vocabulary);
  const input = new InputBatch(llama, job.batch);
  const views = new Map<bigint, Float32Array>();
  let [seconds, loss] = [0, 0];
  for (let first = 0; first < job.blocks; first += sequences) {
    const tokens = Math.min(sequences, job.blocks - first) * job.length;
    llama.clear(context);
    for (let at = 0; at < tokens; at += job.batch) {
      const begin = first * job.length + at;
      const count = Math.min(job.batch, tokens - at);
      const began = now();
      input.fill(ids.subarray(begin, begin + count), at, job.length);
      const status = llama.decode(context, input.batch(count));
      if (status !== 0) throw new Error(`llama_decode ended with ${status}`);
      llama.synchronize(context);
      const address = llama.logits(context);
      const decoded = now();
      let logits = views.get(address);
      if (!logits) views.set(address, (logits = new Float32Array(llama.view(address, 4 * job.batch * width))));
      for (let row = 0; row < count; row++) {
        const next = begin + row + 1;
        if (next % job.length !== 0) loss += crossEntropy(logits.subarray(row * width, (row + 1) * width), ids[next]!);
      }
      seconds += decoded - began;
      ours += now() - decoded;
    }
  }
  llama.free(context, model);
  return {
    value: Math.exp(loss / (job.blocks * (job.length - 1))),
    ...{ seconds, ours, memoryBefore, backend: llama.backend, tokens: tokenHash([ids]) },
  };
}

/** `GGML_TYPE_F32` */
const F32 = 0;

/** As much of the text as is asked for, whole lines, so that the last word of the part is one of the whole, too. */
function tokenise(llama: LlamaLibrary, vocabulary: bigint, { text, blocks, length }: LlamaCppJob): Int32Array {
  const whole = readFileSync(text);
  const wanted = blocks * length;
  for (let bytes = 8 * wanted; ; bytes *= 2) {
    const end = bytes >= whole.length ? whole.length : whole.lastIndexOf('\n', bytes) + 1;
    const part = whole.subarray(0, end);
    const ids = new Int32Array(part.length);
    const count = llama.tokenize(vocabulary, part, part.length, ids, ids.length, false, true);
    if (count >= wanted + length) return ids.subarray(0, wanted);
    if (end < whole.length) continue;
    if (count >= wanted) return ids.subarray(0, wanted);
    throw new Error(`${text} has ${count} tokens, and ${wanted} are asked for`);
  }
}

function crossEntropy(logits: Float32Array, target: number): number {
  let highest = -Infinity;
  for (const value of logits) if (value > highest) highest = value;
  let sum = 0;
  for (const value of logits) sum += Math.exp(value - highest);
  return Math.log(sum) + highest - logits[target]!;
}
