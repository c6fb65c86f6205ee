import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { InputBatch } from './inputBatch.ts';
import { type LlamaLibrary, llamaCppFolder, loadLlamaCpp } from './library.ts';

const library = llamaCppFolder(fileURLToPath(new URL('../../..', import.meta.url)));

/** For names of tests: why llama.cpp is not here, or nothing. */
export const llamaCppMissing = 'missing' in library ? ` (skipped: ${library.missing})` : '';

/** `GGML_TYPE_F32` */
const F32 = 0;

let loaded: Promise<LlamaLibrary> | undefined;

/** A GGUF file in llama.cpp. */
export class LlamaModel {
  private readonly llama: LlamaLibrary;
  private readonly model: bigint;
  private readonly vocabulary: bigint;

  private constructor(llama: LlamaLibrary, model: bigint) {
    this.llama = llama;
    this.model = model;
    this.vocabulary = llama.vocabulary(model);
  }

  /** @param part `vocabulary`: the tokenizer alone */
  static async open(file: string, part: 'whole' | 'vocabulary' = 'whole'): Promise<LlamaModel> {
    if ('missing' in library) throw new Error(library.missing);
    const llama = await (loaded ??= loadLlamaCpp(library.folder));
    const model = llama.loadModel(file, part === 'vocabulary');
    if (!model) throw new Error(`llama.cpp cannot load ${file}`);
    return new LlamaModel(llama, model);
  }

  /** Ids of a text, with the tokens around it that the file asks for; special tokens in it are found. */
  tokenise(text: string): Int32Array {
    const bytes = Buffer.from(text, 'utf8');
    const ids = new Int32Array(bytes.length + 8);
    const count = this.llama.tokenize(this.vocabulary, bytes, bytes.length, ids, ids.length, true, true);
    return ids.slice(0, count);
  }

  /** Logits of all tokens of a sequence, [tokens, vocabulary]; cache in float32, flash attention off. */
  logits(ids: Int32Array): Float32Array {
    const { llama } = this;
    const tokens = ids.length;
    const context = llama.context(this.model, {
      ...llama.contextDefaults(),
      ...{ n_ctx: tokens, n_seq_max: 1, n_batch: tokens, n_ubatch: tokens },
      ...{ n_threads: 1, n_threads_batch: 1, flash_attn_type: 0, type_k: F32, type_v: F32 },
    });
    if (!context) throw new Error('llama.cpp makes no context of these settings');
    const input = new InputBatch(llama, tokens);
    input.fill(ids, 0, tokens);
    const status = llama.decode(context, input.batch(tokens));
    if (status !== 0) throw new Error(`llama_decode ended with ${status}`);
    llama.synchronize(context);
    const width = llama.vocabularySize(this.vocabulary);
    const logits = new Float32Array(llama.view(llama.logits(context), 4 * tokens * width)).slice();
    llama.freeContext(context);
    return logits;
  }

  close(): void {
    this.llama.free(null, this.model);
  }
}

/** float32 values, blocks of 32, as llama.cpp's own converter rounds them to Q8_0. */
export async function llamaCppQ8(values: Float32Array): Promise<Uint8Array> {
  if ('missing' in library) throw new Error(library.missing);
  const { default: koffi } = await import('koffi');
  const base = koffi.load(path.join(library.folder, 'libggml-base.so'));
  const bytes = new Uint8Array((values.length / 32) * 34);
  base.func('void quantize_row_q8_0_ref(const void *x, void *y, int64_t k)')(values, bytes, values.length);
  return bytes;
}
