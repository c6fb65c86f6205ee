import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TypeObject } from 'koffi';

/** Addresses in C's memory. */
type Address = bigint;

/** `struct llama_context_params`, as far as it is set here. */
export interface ContextParams {
  readonly n_ctx: number;
  readonly n_batch: number;
  readonly n_ubatch: number;
  readonly n_seq_max: number;
  readonly n_threads: number;
  readonly n_threads_batch: number;
  readonly flash_attn_type: number;
  readonly type_k: number;
  readonly type_v: number;
}

/** `struct llama_batch`: addresses of arrays that {@link LlamaLibrary.batch} makes. */
export interface Batch {
  readonly n_tokens: number;
  readonly token: Address;
  readonly pos: Address;
  readonly n_seq_id: Address;
  readonly seq_id: Address;
  readonly logits: Address;
}

/** What is called of libllama's C API (`include/llama.h`), by its own names. */
export interface LlamaLibrary {
  /** @returns 0 where it cannot. @param vocabulary of the file alone */
  readonly loadModel: (file: string, vocabulary?: boolean) => Address | null;
  readonly contextDefaults: () => ContextParams;
  readonly context: (model: Address, params: ContextParams) => Address;
  readonly vocabulary: (model: Address) => Address;
  readonly vocabularySize: (vocabulary: Address) => number;
  /** @returns how many ids; the negative number where `ids` is too short */
  readonly tokenize: (...of: [Address, Buffer, number, Int32Array, number, boolean, boolean]) => number;
  readonly batch: (tokens: number, embeddings: 0, sequences: number) => Batch;
  /** @returns 0 where all went well */
  readonly decode: (context: Address, batch: Batch) => number;
  /** Waits until what was decoded is there. */
  readonly synchronize: (context: Address) => void;
  /** [outputs of the batch, vocabulary] of float32. */
  readonly logits: (context: Address) => Address;
  readonly freeContext: (context: Address) => void;
  readonly free: (context: Address | null, model: Address) => void;
  /** Forgets all sequences. */
  readonly clear: (context: Address) => void;
  /** C's memory as it is, not copied. */
  readonly view: (address: Address, bytes: number) => ArrayBuffer;
  /** The file of the backend that llama.cpp took for this processor, such as `libggml-cpu-zen4.so`. */
  readonly backend: string;
}

/** Names of the optional dependency's files. */
const [LLAMA, GGML] = ['libllama.v0.5.0.so', 'libggml.v0.5.0.so'];

/** Where npm has put llama.cpp for this platform, or why it has not. */
export function llamaCppFolder(root: string): { readonly folder: string } | { readonly missing: string } {
  const name = `@node-llama-cpp/${process.platform}-${process.arch}`;
  const folder = join(root, 'node_modules/@node-llama-cpp/linux-x64/bins/linux-x64');
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    return { missing: `llama.cpp: only that of linux-x64 is a dependency, and ${name} is none` };
  }
  if (!existsSync(join(folder, LLAMA))) {
    return { missing: `llama.cpp: ${name} is not installed, or has no ${LLAMA}` };
  }
  return { folder };
}

/**
 * Loads llama.cpp with its backend for this processor. The structures below are those of v0.5.0; sizes and defaults are compared before
 * anything is computed, since a wrong field would be a wrong number.
 */
export async function loadLlamaCpp(folder: string): Promise<LlamaLibrary> {
  const { default: koffi } = await import('koffi');
  const ggml = koffi.load(join(folder, GGML), { global: true });
  ggml.func('void ggml_backend_load_all_from_path(const char *folder)')(folder);
  const llama = koffi.load(join(folder, LLAMA));

  const address = 'void *';
  const modelParams = koffi.struct({
    ...fields(address, ['devices', 'tensor_buft_overrides']),
    ...fields('int32_t', ['n_gpu_layers', 'split_mode', 'load_mode', 'lazy_mode', 'main_gpu']),
    ...fields(address, ['tensor_split', 'progress_callback', 'progress_callback_user_data', 'kv_overrides']),
    ...fields('bool', ['vocab_only', 'check_tensors', 'use_extra_bufts', 'no_host', 'no_alloc', 'load_mtp']),
  });
  const contextParams = koffi.struct({
    ...fields('uint32_t', ['n_ctx', 'n_batch', 'n_ubatch', 'n_seq_max', 'n_rs_seq', 'n_outputs_max']),
    ...fields('uint32_t', ['n_outputs_max_per_seq']),
    ...fields('int32_t', ['n_threads', 'n_threads_batch', 'ctx_type', 'rope_scaling_type', 'pooling_type']),
    ...fields('int32_t', ['attention_type', 'flash_attn_type']),
    ...fields('float', ['rope_freq_base', 'rope_freq_scale', 'yarn_ext_factor', 'yarn_attn_factor']),
    ...fields('float', ['yarn_beta_fast', 'yarn_beta_slow']),
    ...fields('uint32_t', ['yarn_orig_ctx']),
    ...fields('float', ['defrag_thold']),
    ...fields(address, ['cb_eval', 'cb_eval_user_data']),
    ...fields('int32_t', ['type_k', 'type_v']),
    ...fields(address, ['abort_callback', 'abort_callback_data']),
    ...fields('bool', ['embeddings', 'offload_kqv', 'no_perf', 'op_offload', 'swa_full', 'kv_unified']),
    ...fields(address, ['samplers']),
    ...fields('size_t', ['n_samplers']),
    ...fields(address, ['ctx_other']),
  });
  const batch = koffi.struct({
    n_tokens: 'int32_t',
    ...fields(address, ['token', 'embd', 'pos', 'n_seq_id', 'seq_id', 'logits']),
  });
  const bind = (name: string, result: Type, parameters: readonly Type[]) => llama.func(name, result, [...parameters]);

  // Its log is thousands of lines on standard error. One of its own functions that looks at no argument takes them in: a callback of JavaScript would be
  // waited for by threads that this one waits for.
  bind('llama_log_set', 'void', [address, address])(llama.symbol('llama_time_us'), null);
  bind('llama_backend_init', 'void', [])();
  const modelDefaults: () => Readonly<Record<string, unknown>> = bind('llama_model_default_params', modelParams, []);
  const contextDefaults: () => ContextParams = bind('llama_context_default_params', contextParams, []);
  expect('llama_model_params', koffi.sizeof(modelParams), modelDefaults(), MODEL_DEFAULTS);
  expect('llama_context_params', koffi.sizeof(contextParams), { ...contextDefaults() }, CONTEXT_DEFAULTS);

  const load: (file: string, params: object) => Address | null = bind('llama_model_load_from_file', address, [
    ...['const char *', modelParams],
  ]);
  const memory: (context: Address) => Address = bind('llama_get_memory', address, [address]);
  const clear: (memory: Address, data: boolean) => void = bind('llama_memory_clear', 'void', [address, 'bool']);
  const freeContext: (context: Address) => void = bind('llama_free', 'void', [address]);
  const freeModel: (model: Address) => void = bind('llama_model_free', 'void', [address]);
  return {
    loadModel: (file, vocabulary = false) => load(file, { ...modelDefaults(), vocab_only: vocabulary }),
    contextDefaults,
    context: bind('llama_init_from_model', address, [address, contextParams]),
    vocabulary: bind('llama_model_get_vocab', address, [address]),
    vocabularySize: bind('llama_vocab_n_tokens', 'int32_t', [address]),
    tokenize: bind('llama_tokenize', 'int32_t', [...[address, address, 'int32_t', address, 'int32_t', 'bool', 'bool']]),
    batch: bind('llama_batch_init', batch, ['int32_t', 'int32_t', 'int32_t']),
    decode: bind('llama_decode', 'int32_t', [address, batch]),
    synchronize: bind('llama_synchronize', 'void', [address]),
    logits: bind('llama_get_logits', address, [address]),
    freeContext,
    free: (context, model) => {
      if (context) freeContext(context);
      freeModel(model);
    },
    clear: (context) => {
      clear(memory(context), false);
    },
    view: (from, bytes) => koffi.view(from, bytes),
    backend: /libggml-cpu[^/\n]*\.so/.exec(readFileSync('/proc/self/maps', 'utf8'))?.[0] ?? 'no backend of its own',
  };
}

type Type = string | TypeObject;

/** Bytes of each structure, and what its fields are where nobody has set them: those whose places the header of v0.5.0 gives. */
interface Layout {
  readonly size: number;
  readonly values: Readonly<Record<string, unknown>>;
}

const MODEL_DEFAULTS: Layout = {
  size: 80,
  values: { n_gpu_layers: -1, split_mode: 1, load_mode: -1, lazy_mode: 1, main_gpu: 0, use_extra_bufts: true },
};

const CONTEXT_DEFAULTS: Layout = {
  size: 160,
  values: {
    ...{ n_ctx: 512, n_batch: 2048, n_ubatch: 512, n_seq_max: 1, n_outputs_max_per_seq: 1, n_threads: 4 },
    ...{ n_threads_batch: 4, flash_attn_type: -1, yarn_ext_factor: -1, type_k: 1, type_v: 1 },
    ...{ embeddings: false, offload_kqv: true, no_perf: true, op_offload: true, swa_full: true, kv_unified: false },
  },
};

function expect(name: string, size: number, values: Readonly<Record<string, unknown>>, layout: Layout): void {
  const other = Object.entries(layout.values).find(([field, value]) => values[field] !== value);
  if (size === layout.size && other === undefined) return;
  const actual = other === undefined ? `${size} bytes` : `${other[0]} = ${String(values[other[0]])}`;
  throw new Error(`${name} is not laid out as in v0.5.0 of llama.cpp: ${actual}`);
}

function fields(type: string, names: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(names.map((name) => [name, type]));
}
