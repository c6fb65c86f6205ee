/** Names of llama.cpp's tensors of a block (`gguf-py/gguf/tensor_mapping.py`), by ours without `.weight` and `.bias`. */
export const BLOCK_NAMES = {
  input_layernorm: 'attn_norm',
  'self_attn.q_proj': 'attn_q',
  'self_attn.k_proj': 'attn_k',
  'self_attn.v_proj': 'attn_v',
  'self_attn.q_norm': 'attn_q_norm',
  'self_attn.k_norm': 'attn_k_norm',
  'self_attn.o_proj': 'attn_output',
  post_attention_layernorm: 'ffn_norm',
  'mlp.gate_proj': 'ffn_gate',
  'mlp.up_proj': 'ffn_up',
  'mlp.down_proj': 'ffn_down',
} as const satisfies Readonly<Record<string, string>>;

const OUTER_NAMES: Readonly<Record<string, string>> = {
  'model.embed_tokens.weight': 'token_embd.weight',
  'model.norm.weight': 'output_norm.weight',
  // Without it llama.cpp takes the embedding: a tied head.
  'lm_head.weight': 'output.weight',
};

/** What each of the frequencies is divided by. */
export const FREQUENCY_FACTORS = 'rope_freqs.weight';

/** llama.cpp's name of a checkpoint's tensor. */
export function ggufName(tensor: string): string {
  const outer = OUTER_NAMES[tensor];
  if (outer !== undefined) return outer;
  const [, block, name, kind] = /^model\.layers\.(\d+)\.(.+)\.(weight|bias)$/.exec(tensor) ?? [];
  const inner = (BLOCK_NAMES as Readonly<Record<string, string>>)[name ?? ''];
  if (inner === undefined) throw new RangeError(`${tensor} has no name in llama.cpp`);
  return `blk.${block}.${inner}.${kind}`;
}

/**
 * Whether rows of the tensor are turned with each other by the positions, in an architecture where llama.cpp turns pairs side by side (`llama`, `deci`) and
 * transformers those of two halves.
 */
export function isTurned(tensor: string): boolean {
  return /\.self_attn\.[qk]_proj\.(weight|bias)$/.test(tensor);
}

/** Of `openelm`: queries, keys and values of a block in one matrix. */
export const STACKED = 'attn_qkv';

/** @param tensor of the checkpoint, one of the three */
export function stackedName(tensor: string): string {
  const [, block] = /^model\.layers\.(\d+)\./.exec(tensor)!;
  return `blk.${block}.${STACKED}.weight`;
}

/** Whether a tensor of the checkpoint has keys or values, which follow the queries there. */
export function isBehindQuery(tensor: string): boolean {
  return /\.self_attn\.[kv]_proj\.weight$/.test(tensor);
}
