import { join } from 'node:path';
import { type Checkpoint, openCheckpoint } from '../../src/engine/checkpoint/checkpoint.ts';
import { readBounded } from '../../src/engine/checkpoint/jsonFile.ts';
import type { ModelConfig } from '../../src/engine/families/families.ts';
import { parseTokenizerSpec, type TokenizerSpec } from '../../src/engine/tokenizer/tokenizerSpec.ts';
import { type GgufTensor, type GgufType, type GgufValue, writeGguf } from './ggufFile.ts';

/**
 * Writes a LLaMA with a byte-level BPE tokenizer as llama.cpp reads it: matrices in the type given, norms in float32, rows of queries and keys in
 * the order of llama.cpp's rotation.
 *
 * Keys and tensor names: llama.cpp's `gguf-py/gguf/constants.py` and `convert_hf_to_gguf.py`.
 */
export async function writeLlamaGguf(folder: string, file: string, type: GgufType): Promise<void> {
  const checkpoint = await openCheckpoint(folder);
  try {
    const { config } = checkpoint;
    if (config.architecture !== 'LlamaForCausalLM' || config.blocks !== undefined) {
      throw new RangeError(`${folder}: only a LLaMA whose blocks are alike is written as GGUF`);
    }
    const tokenizer = join(checkpoint.tokenizerFolder, 'tokenizer.json');
    const bytes = await readBounded(tokenizer, 'checkpoint/tokenizer', 2 ** 28);
    const vocabulary = vocabularyValues(parseTokenizerSpec(bytes, tokenizer), config.vocabulary);
    await writeGguf(file, new Map([...modelValues(config), ...vocabulary]), [...tensorsOf(checkpoint, type)]);
  } finally {
    checkpoint.close();
  }
}

function modelValues(config: ModelConfig): [string, GgufValue][] {
  const { positions } = config;
  if (positions.kind !== 'rotary' || positions.scaling.kind !== 'none')
    throw new RangeError('rotary positions, not scaled');
  const counts = {
    vocab_size: config.vocabulary,
    context_length: config.maxPositions,
    embedding_length: config.hidden,
    block_count: config.depth,
    feed_forward_length: config.intermediate,
    'attention.head_count': config.heads,
    'attention.head_count_kv': config.kvHeads,
    'attention.key_length': config.headDim,
    'attention.value_length': config.headDim,
    'rope.dimension_count': positions.dims,
  };
  const numbers = { 'attention.layer_norm_rms_epsilon': config.normEpsilon, 'rope.freq_base': positions.theta };
  return [
    ['general.architecture', { kind: 'string', value: 'llama' }],
    ...Object.entries(counts).map(([key, value]): [string, GgufValue] => [`llama.${key}`, { kind: 'uint32', value }]),
    ...Object.entries(numbers).map(([key, value]): [string, GgufValue] => [`llama.${key}`, { kind: 'float32', value }]),
  ];
}

/** `enum llama_token_type` of llama.h. */
const TOKEN = { normal: 1, control: 3, unused: 5 } as const;

/** llama.cpp calls byte-level BPE `gpt2`. Rows of the embedding that no token has get one that no text holds. */
function vocabularyValues({ model, added_tokens: added }: TokenizerSpec, rows: number): [string, GgufValue][] {
  if (model.type !== 'BPE') throw new RangeError(`a tokenizer of the type ${model.type} is not written as GGUF`);
  const tokens = Array.from({ length: rows }, (_, id) => `[unused ${id}]`);
  const types = new Array<number>(rows).fill(TOKEN.unused);
  for (const [token, id] of Object.entries(model.vocab)) [tokens[id], types[id]] = [token, TOKEN.normal];
  for (const { content, id } of added) [tokens[id], types[id]] = [content, TOKEN.control];
  return [
    ['tokenizer.ggml.model', { kind: 'string', value: 'gpt2' }],
    ['tokenizer.ggml.pre', { kind: 'string', value: 'gpt-2' }],
    ['tokenizer.ggml.tokens', { kind: 'strings', value: tokens }],
    ['tokenizer.ggml.token_type', { kind: 'int32s', value: types }],
    ['tokenizer.ggml.merges', { kind: 'strings', value: model.merges.map(mergeText) }],
    ['tokenizer.ggml.add_bos_token', { kind: 'boolean', value: false }],
    ['tokenizer.ggml.bos_token_id', { kind: 'uint32', value: 0 }],
    ['tokenizer.ggml.eos_token_id', { kind: 'uint32', value: 1 }],
  ];
}

/** Newer files have a merge as a list of two, which may hold spaces; GGUF has the older form. */
function mergeText(merge: unknown): string {
  return typeof merge === 'string' ? merge : (merge as readonly [string, string]).join(' ');
}

function* tensorsOf(checkpoint: Checkpoint, type: GgufType): Generator<GgufTensor> {
  const { config } = checkpoint;
  const { hidden, intermediate, heads, kvHeads, headDim, vocabulary } = config;
  const matrix = (name: string, from: string, rows: number, columns: number, turned?: number): GgufTensor => ({
    ...{ name: `${name}.weight`, dtype: type, shape: [rows, columns] },
    read: () => {
      const values = checkpoint.read(`${from}.weight`, [rows, columns]);
      return turned === undefined ? values : forRotation(values, turned, columns);
    },
  });
  const norm = (name: string, from: string): GgufTensor => ({
    ...{ name: `${name}.weight`, dtype: 'F32', shape: [hidden] },
    read: () => checkpoint.read(`${from}.weight`, [hidden]),
  });

  yield matrix('token_embd', 'model.embed_tokens', vocabulary, hidden);
  for (let block = 0; block < config.depth; block++) {
    const [to, from] = [`blk.${block}`, `model.layers.${block}`];
    yield norm(`${to}.attn_norm`, `${from}.input_layernorm`);
    yield matrix(`${to}.attn_q`, `${from}.self_attn.q_proj`, heads * headDim, hidden, headDim);
    yield matrix(`${to}.attn_k`, `${from}.self_attn.k_proj`, kvHeads * headDim, hidden, headDim);
    yield matrix(`${to}.attn_v`, `${from}.self_attn.v_proj`, kvHeads * headDim, hidden);
    yield matrix(`${to}.attn_output`, `${from}.self_attn.o_proj`, hidden, heads * headDim);
    yield norm(`${to}.ffn_norm`, `${from}.post_attention_layernorm`);
    yield matrix(`${to}.ffn_gate`, `${from}.mlp.gate_proj`, intermediate, hidden);
    yield matrix(`${to}.ffn_up`, `${from}.mlp.up_proj`, intermediate, hidden);
    yield matrix(`${to}.ffn_down`, `${from}.mlp.down_proj`, hidden, intermediate);
  }
  yield norm('output_norm', 'model.norm');
  // Without it llama.cpp takes the embedding: a tied head.
  if (!config.tiedEmbeddings) yield matrix('output', 'lm_head', vocabulary, hidden);
}

/**
 * Rows of each head from [first half, second half], which transformers turns with each other, to pairs side by side, which llama.cpp does.
 *
 * @param values [heads · headDim, columns]
 */
function forRotation(values: Float32Array, headDim: number, columns: number): Float32Array {
  const turned = new Float32Array(values.length);
  const half = headDim / 2;
  for (let row = 0; row < values.length / columns; row++) {
    const [head, at] = [Math.floor(row / headDim), row % headDim];
    const to = head * headDim + (at % half) * 2 + Math.floor(at / half);
    turned.set(values.subarray(row * columns, (row + 1) * columns), to * columns);
  }
  return turned;
}
