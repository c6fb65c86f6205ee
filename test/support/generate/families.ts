import type { CheckpointRecipe } from './generateCheckpoint.ts';
import type { RawConfig } from './tensorInventory.ts';

/** Tokens of an evaluation block and of a calibration sample; some families need one of their own. */
export interface Family extends CheckpointRecipe {
  readonly length: number;
}

/** Rounded up from what the tokenizer uses, as published checkpoints pad theirs. */
const VOCABULARY = 384;

/** Each family's weights come from a seed of their own, its place among those that state none: numbers are pinned for all of them. */
let seed = 0;

/** One small random checkpoint for each supported family and for each thing that a config.json of it can switch. */
export const FAMILIES = {
  /** LLaMA 1: one key-value head for each query head, which its config.json does not mention. */
  'llama-1': llama({ rms_norm_eps: 1e-6 }),
  /** LLaMA 2, grouped: sharded float16. */
  'llama-2 grouped queries': llama(
    { num_key_value_heads: 2, pretraining_tp: 1, rope_scaling: null },
    { dtype: 'F16', shards: 3 },
  ),
  'llama-3.1': llama(
    {
      hidden_size: 64,
      num_key_value_heads: 2,
      rope_theta: 500000,
      rope_scaling: llama3Scaling(8),
      attention_bias: false,
      mlp_bias: false,
    },
    { dtype: 'BF16', beginToken: true },
  ),
  'llama-3.2 tied': llama(
    {
      num_key_value_heads: 1,
      head_dim: 16,
      rope_theta: 500000,
      rope_scaling: llama3Scaling(32),
      tie_word_embeddings: true,
    },
    { dtype: 'BF16', beginToken: true },
  ),
  'llama linear': llama({ rope_scaling: { type: 'linear', factor: 4 } }),
  /** Longer than the model was trained for: only then does dynamic scaling do anything. */
  'llama dynamic': llama({
    head_dim: 16,
    max_position_embeddings: 24,
    rope_scaling: { type: 'dynamic', factor: 2 },
  }),
  'llama yarn': llama({
    head_dim: 16,
    rope_theta: 100,
    max_position_embeddings: 128,
    rope_scaling: { rope_type: 'yarn', factor: 4, original_max_position_embeddings: 32 },
  }),
  'llama yarn, every option': llama({
    head_dim: 16,
    rope_theta: 100,
    max_position_embeddings: 512,
    rope_scaling: {
      rope_type: 'yarn',
      factor: 8,
      original_max_position_embeddings: 64,
      beta_fast: 4,
      beta_slow: 0.5,
      mscale: 1,
      mscale_all_dim: 0.6,
      truncate: false,
    },
  }),
  'llama longrope, long': llama({
    max_position_embeddings: 96,
    original_max_position_embeddings: 24,
    rope_scaling: longropeScaling(),
  }),
  'llama longrope, short': llama({
    max_position_embeddings: 256,
    original_max_position_embeddings: 64,
    rope_scaling: longropeScaling(),
  }),
  /** An epsilon that is large enough to be seen. */
  'llama biases': llama({ num_key_value_heads: 2, attention_bias: true, mlp_bias: true, rms_norm_eps: 0.2 }),
  /** transformers 5 keeps all of the rotation's settings in one object and calls torch_dtype dtype. */
  'llama, transformers 5': llama(
    {
      rope_theta: undefined,
      torch_dtype: undefined,
      dtype: 'bfloat16',
      rope_parameters: { ...llama3Scaling(8), rope_theta: 20000 },
      num_key_value_heads: 4,
    },
    { dtype: 'BF16' },
  ),
  /** Window shorter than the sequence; heads · head_dim is not hidden_size. */
  mistral: llama(
    {
      architectures: ['MistralForCausalLM'],
      model_type: 'mistral',
      num_key_value_heads: 2,
      head_dim: 12,
      sliding_window: 7,
    },
    { dtype: 'BF16' },
  ),
  'mistral 0.3': llama({
    architectures: ['MistralForCausalLM'],
    model_type: 'mistral',
    num_key_value_heads: 2,
    sliding_window: null,
    rope_theta: 1000000,
  }),
  /** Biases on queries, keys and values; the window is there and switched off, as in the published config.json. */
  qwen2: llama(
    {
      architectures: ['Qwen2ForCausalLM'],
      model_type: 'qwen2',
      num_key_value_heads: 2,
      use_sliding_window: false,
      sliding_window: 5,
      max_window_layers: 0,
      tie_word_embeddings: true,
    },
    { dtype: 'BF16' },
  ),
  'qwen2 window': llama({
    architectures: ['Qwen2ForCausalLM'],
    model_type: 'qwen2',
    num_key_value_heads: 2,
    use_sliding_window: true,
    sliding_window: 5,
    max_window_layers: 1,
  }),
  'qwen2 layer types': llama({
    architectures: ['Qwen2ForCausalLM'],
    model_type: 'qwen2',
    num_key_value_heads: 2,
    use_sliding_window: true,
    sliding_window: 6,
    max_window_layers: 28,
    layer_types: ['sliding_attention', 'full_attention', 'sliding_attention'],
  }),
  qwen3: llama(
    {
      architectures: ['Qwen3ForCausalLM'],
      model_type: 'qwen3',
      num_key_value_heads: 2,
      head_dim: 16,
      attention_bias: false,
      use_sliding_window: false,
      sliding_window: null,
      max_window_layers: 3,
      tie_word_embeddings: true,
      rope_theta: 1000000,
      rms_norm_eps: 0.1,
    },
    { dtype: 'BF16' },
  ),
  opt: opt({}),
  /** opt-350m: norms after the residual sums, and a narrower embedding that is projected in and out. */
  'opt-350m': opt({ do_layer_norm_before: false, word_embed_proj_dim: 24 }, { dtype: 'F16', shards: 2 }),
  'opt, bare decoder': opt({}, { bare: true }),
  /** As Pythia's config.json is written: a quarter of each head turns. */
  'gpt-neox': gptNeoX({ rotary_pct: 0.25, rotary_emb_base: 10000 }, { dtype: 'F16', shards: 2 }),
  /** Attention before the MLP, as transformers 5 writes it; another base, an epsilon and an activation that can be told from the usual ones. */
  'gpt-neox, in sequence': gptNeoX({
    use_parallel_residual: false,
    attention_bias: false,
    hidden_act: 'gelu_new',
    layer_norm_eps: 0.1,
    tie_word_embeddings: true,
    rope_parameters: { partial_rotary_factor: 0.5, rope_theta: 300, rope_type: 'linear', factor: 3 },
  }),
  /** As Phi-3-mini's: a window, shorter than the sequence here. */
  'phi-3': phi3({ sliding_window: 9 }, { dtype: 'BF16', seed: 301 }),
  /** As Phi-3's of 128 000 tokens; grouped queries. */
  'phi-3 longrope, long': phi3(
    {
      ...{ num_key_value_heads: 2, max_position_embeddings: 96, original_max_position_embeddings: 24 },
      rope_scaling: longropeScaling(),
    },
    { seed: 302 },
  ),
  /** As Phi-4-mini's: three quarters of each head turn, tied embeddings, factors for short texts. */
  'phi-4': phi3(
    {
      ...{ num_key_value_heads: 2, max_position_embeddings: 256, original_max_position_embeddings: 64 },
      ...{ partial_rotary_factor: 0.75, tie_word_embeddings: true, rms_norm_eps: 0.1 },
      rope_scaling: { type: 'longrope', short_factor: [1, 1.4, 2], long_factor: [1.2, 3.5, 6] },
    },
    { dtype: 'F16', shards: 2, seed: 303 },
  ),
  'phi-3, transformers 5': phi3(
    {
      ...{ head_dim: 12, num_key_value_heads: 1, hidden_act: 'gelu', rope_theta: undefined },
      rope_parameters: { rope_type: 'default', rope_theta: 300, partial_rotary_factor: 0.5 },
    },
    { seed: 304 },
  ),
  /** As the first ones were published: without `transformer.`, with the causal mask beside the weights. */
  'gpt-2': gpt2({}, { bare: true, seed: 305 }),
  'gpt-2, scaled by block': gpt2(
    {
      ...{ scale_attn_by_inverse_layer_idx: true, reorder_and_upcast_attn: true, tie_word_embeddings: false },
      ...{ n_inner: 56, activation_function: 'gelu', layer_norm_epsilon: 0.1 },
    },
    { dtype: 'F16', shards: 2, seed: 306 },
  ),
  'gpt-2, not scaled': gpt2({ scale_attn_weights: false, activation_function: 'relu' }, { seed: 307 }),
  bloom: bloom({ n_embed: 32, num_attention_heads: 4 }, { dtype: 'BF16', bare: true, seed: 308 }),
  /** Heads that are no power of two; branches are added to what they read. */
  'bloom, added to the norms': bloom(
    {
      ...{ hidden_size: 48, n_head: 6, apply_residual_connection_post_layernorm: true },
      ...{ layer_norm_epsilon: 0.1, tie_word_embeddings: false },
    },
    { dtype: 'F16', shards: 2, seed: 309 },
  ),
  /** Falcon 7B: one key-value head, the MLP beside attention, one norm for both. */
  'falcon 7b': falcon({ multi_query: true, parallel_attn: true }, { dtype: 'BF16', seed: 310 }),
  /** Falcon 40B and 180B: groups of heads, a norm for each branch. */
  'falcon 40b': falcon(
    { new_decoder_architecture: true, num_kv_heads: 2, multi_query: true, parallel_attn: true, rope_theta: 300 },
    { dtype: 'F16', shards: 2, seed: 311 },
  ),
  /** Falcon 2: groups of heads and one norm; biases, another width of the MLP and a head of its own to see that they are read. */
  'falcon 2': falcon(
    {
      ...{ new_decoder_architecture: true, num_kv_heads: 2, num_ln_in_parallel_attn: 1, ffn_hidden_size: 56 },
      ...{ bias: true, activation: 'gelu_new', layer_norm_epsilon: 0.1, tie_word_embeddings: false },
    },
    { seed: 312 },
  ),
  /** Falcon-RW: ALiBi, a key-value head for each of heads that are no power of two, the MLP behind attention. */
  'falcon rw': falcon(
    {
      ...{ alibi: true, bias: true, multi_query: false, parallel_attn: false },
      ...{ hidden_size: 48, num_attention_heads: 12 },
    },
    { seed: 313 },
  ),
  /** As the first files of Gemma were written, in bfloat16: sqrt(40) becomes 6.3125. */
  gemma: kin(
    {
      ...{ architectures: ['GemmaForCausalLM'], model_type: 'gemma', torch_dtype: 'bfloat16' },
      ...{ hidden_size: 40, num_key_value_heads: 1, head_dim: 12, intermediate_size: 48 },
      ...{ hidden_act: 'gelu', hidden_activation: null, rms_norm_eps: 0.5 },
    },
    { seed: 301, dtype: 'BF16' },
  ),
  'gemma, transformers 5': kin(
    {
      ...{ architectures: ['GemmaForCausalLM'], model_type: 'gemma', dtype: 'float32', torch_dtype: undefined },
      ...{ num_key_value_heads: 4, head_dim: 8, attention_bias: true, hidden_act: 'gelu_pytorch_tanh' },
      ...{ rope_theta: undefined, rope_parameters: { rope_type: 'default', rope_theta: 300 } },
      ...{ tie_word_embeddings: false },
    },
    { seed: 302 },
  ),
  /** Windows in the first and the last block, and caps that are low enough to be seen. */
  gemma2: kin(
    {
      ...{ architectures: ['Gemma2ForCausalLM'], model_type: 'gemma2', torch_dtype: 'float32' },
      ...{ num_key_value_heads: 2, head_dim: 12, sliding_window: 7, query_pre_attn_scalar: 7 },
      ...{ attn_logit_softcapping: 2, final_logit_softcapping: 3, hidden_activation: 'gelu_pytorch_tanh' },
    },
    { seed: 303, dtype: 'BF16' },
  ),
  'gemma2, layer types': kin(
    {
      ...{ architectures: ['Gemma2ForCausalLM'], model_type: 'gemma2', torch_dtype: 'float32' },
      ...{ num_key_value_heads: 4, head_dim: 8, sliding_window: 5, query_pre_attn_scalar: 16 },
      ...{ attn_logit_softcapping: null, final_logit_softcapping: null, hidden_activation: 'gelu' },
      ...{ layer_types: ['full_attention', 'sliding_attention', 'full_attention'] },
    },
    { seed: 304 },
  ),
  /** Every second block sees all; it turns by another base, and slower. */
  gemma3: kin(
    {
      ...{ architectures: ['Gemma3ForCausalLM'], model_type: 'gemma3_text', torch_dtype: 'float32' },
      ...{ num_key_value_heads: 2, head_dim: 12, sliding_window: 9, sliding_window_pattern: 2 },
      ...{ rope_theta: 600, rope_local_base_freq: 40, rope_scaling: { rope_type: 'linear', factor: 2 } },
      ...{ query_pre_attn_scalar: 5, hidden_activation: 'gelu_pytorch_tanh', rms_norm_eps: 0.05 },
    },
    { seed: 305, dtype: 'BF16' },
  ),
  'gemma3, transformers 5': kin(
    {
      ...{ architectures: ['Gemma3ForCausalLM'], model_type: 'gemma3_text', dtype: 'float32', torch_dtype: undefined },
      ...{ num_key_value_heads: 4, head_dim: 8, sliding_window: 6, query_pre_attn_scalar: 8, rope_theta: undefined },
      ...{ layer_types: ['sliding_attention', 'sliding_attention', 'full_attention'], final_logit_softcapping: 4 },
      rope_parameters: {
        full_attention: { rope_type: 'default', rope_theta: 5000 },
        sliding_attention: { rope_type: 'default', rope_theta: 30 },
      },
    },
    { seed: 306 },
  ),
  olmo2: kin(
    {
      ...{ architectures: ['Olmo2ForCausalLM'], model_type: 'olmo2', num_key_value_heads: 2, rms_norm_eps: 0.1 },
      ...{ attention_bias: false, rope_theta: 500, tie_word_embeddings: false },
    },
    { seed: 307 },
  ),
  granite: kin(
    {
      ...{
        architectures: ['GraniteForCausalLM'],
        model_type: 'granite',
        num_key_value_heads: 2,
        torch_dtype: 'bfloat16',
      },
      ...{ embedding_multiplier: 2.5, residual_multiplier: 0.4, attention_multiplier: 0.15, logits_scaling: 3 },
      ...{ attention_bias: true, mlp_bias: true, tie_word_embeddings: true },
    },
    { seed: 308, dtype: 'BF16' },
  ),
  stablelm: kin(
    {
      ...{ architectures: ['StableLmForCausalLM'], model_type: 'stablelm', num_key_value_heads: 4 },
      ...{ layer_norm_eps: 0.1, use_qkv_bias: true, partial_rotary_factor: 0.5, use_parallel_residual: false },
      ...{ qk_layernorm: false, tie_word_embeddings: false, rms_norm_eps: undefined },
    },
    { seed: 309, dtype: 'F16' },
  ),
  /** As the one with 12 billion: branches side by side, and a norm of its own for each head. */
  'stablelm 12b': kin(
    {
      ...{ architectures: ['StableLmForCausalLM'], model_type: 'stablelm', num_key_value_heads: 2 },
      ...{ layer_norm_eps: 1e-5, use_qkv_bias: false, use_parallel_residual: true, qk_layernorm: true },
      ...{ tie_word_embeddings: false, rms_norm_eps: undefined },
    },
    { seed: 310 },
  ),
  smollm3: kin(
    {
      ...{ architectures: ['SmolLM3ForCausalLM'], model_type: 'smollm3', num_key_value_heads: 2, rope_theta: 50 },
      ...{ no_rope_layer_interval: 2, use_sliding_window: false, sliding_window: null },
    },
    { seed: 311, dtype: 'BF16' },
  ),
  'smollm3, windows': kin(
    {
      ...{ architectures: ['SmolLM3ForCausalLM'], model_type: 'smollm3', num_key_value_heads: 2, rope_theta: 50 },
      ...{ no_rope_layers: [0, 1, 0], use_sliding_window: true, sliding_window: 6, attention_bias: true },
      ...{ tie_word_embeddings: false },
    },
    { seed: 312 },
  ),
  cohere: kin(
    {
      ...{ architectures: ['CohereForCausalLM'], model_type: 'cohere', num_key_value_heads: 2, rope_theta: 80 },
      ...{ layer_norm_eps: 0.1, logit_scale: 0.6, use_qk_norm: true, rms_norm_eps: undefined },
    },
    { seed: 313, dtype: 'BF16' },
  ),
  'cohere, plain': kin(
    {
      ...{ architectures: ['CohereForCausalLM'], model_type: 'cohere', num_key_value_heads: 4, rope_theta: 80 },
      ...{ layer_norm_eps: 1e-5, attention_bias: true, tie_word_embeddings: false, rms_norm_eps: undefined },
    },
    { seed: 314 },
  ),
  /** The middle block sees all and turns nothing. */
  cohere2: kin(
    {
      ...{ architectures: ['Cohere2ForCausalLM'], model_type: 'cohere2', num_key_value_heads: 2, rope_theta: 80 },
      ...{ layer_norm_eps: 1e-5, logit_scale: 1.5, sliding_window: 6, sliding_window_pattern: 2 },
      ...{ rms_norm_eps: undefined },
    },
    { seed: 315, dtype: 'F16', shards: 2 },
  ),
  /** As Mixtral 8x7B is written: no windows, weights of the two best of eight experts that sum to one. */
  mixtral: llama(
    {
      architectures: ['MixtralForCausalLM'],
      model_type: 'mixtral',
      num_key_value_heads: 2,
      num_local_experts: 5,
      num_experts_per_tok: 2,
      output_router_logits: false,
      router_aux_loss_coef: 0.02,
      sliding_window: null,
      rope_theta: 1000000,
    },
    { dtype: 'BF16', shards: 2, seed: 24 },
  ),
  /** Biases, a shared expert behind a gate, a block without experts, weights that do not sum to one. */
  'qwen2-moe': llama(
    {
      architectures: ['Qwen2MoeForCausalLM'],
      model_type: 'qwen2_moe',
      num_key_value_heads: 2,
      ...{ num_experts: 4, num_experts_per_tok: 2, moe_intermediate_size: 24, shared_expert_intermediate_size: 40 },
      ...{ decoder_sparse_step: 1, mlp_only_layers: [1], norm_topk_prob: false, use_sliding_window: false },
    },
    { seed: 25 },
  ),
  /** Norms of heads; every other block mixes experts, three for a token. */
  'qwen3-moe': llama(
    {
      architectures: ['Qwen3MoeForCausalLM'],
      model_type: 'qwen3_moe',
      num_key_value_heads: 2,
      head_dim: 16,
      ...{ num_experts: 6, num_experts_per_tok: 3, moe_intermediate_size: 24, norm_topk_prob: true },
      ...{ decoder_sparse_step: 2, mlp_only_layers: [], use_sliding_window: false, rms_norm_eps: 1e-6 },
    },
    { seed: 26 },
  ),
  /** Norms over all queries and all keys, and values that are cut off. */
  olmoe: llama(
    {
      architectures: ['OlmoeForCausalLM'],
      model_type: 'olmoe',
      num_key_value_heads: 2,
      ...{ num_experts: 4, num_experts_per_tok: 2, norm_topk_prob: false, clip_qkv: 0.9, rms_norm_eps: 1e-5 },
    },
    { seed: 27 },
  ),
} as const satisfies Record<string, Family>;

export type FamilyName = keyof typeof FAMILIES;

function llama(config: RawConfig, rest: Partial<Family> = {}): Family {
  return family(
    {
      architectures: ['LlamaForCausalLM'],
      model_type: 'llama',
      bos_token_id: 0,
      eos_token_id: 1,
      hidden_act: 'silu',
      hidden_size: 32,
      initializer_range: 0.02,
      intermediate_size: 56,
      max_position_embeddings: 64,
      num_attention_heads: 4,
      num_hidden_layers: 3,
      rms_norm_eps: 1e-5,
      rope_theta: 10000,
      tie_word_embeddings: false,
      torch_dtype: 'float32',
      use_cache: true,
      vocab_size: VOCABULARY,
      ...config,
    },
    rest,
  );
}

function opt(config: RawConfig, rest: Partial<Family> = {}): Family {
  return family(
    {
      _remove_final_layer_norm: false,
      activation_function: 'relu',
      architectures: ['OPTForCausalLM'],
      attention_dropout: 0,
      bos_token_id: 0,
      do_layer_norm_before: true,
      dropout: 0.1,
      enable_bias: true,
      eos_token_id: 1,
      ffn_dim: 64,
      hidden_size: 32,
      init_std: 0.02,
      layer_norm_elementwise_affine: true,
      layerdrop: 0,
      max_position_embeddings: 64,
      model_type: 'opt',
      num_attention_heads: 4,
      num_hidden_layers: 3,
      pad_token_id: 2,
      torch_dtype: 'float16',
      vocab_size: VOCABULARY,
      word_embed_proj_dim: 32,
      ...config,
    },
    rest,
  );
}

function gptNeoX(config: RawConfig, rest: Partial<Family> = {}): Family {
  return family(
    {
      architectures: ['GPTNeoXForCausalLM'],
      bos_token_id: 0,
      eos_token_id: 0,
      hidden_act: 'gelu',
      hidden_size: 32,
      initializer_range: 0.02,
      intermediate_size: 64,
      layer_norm_eps: 1e-5,
      max_position_embeddings: 64,
      model_type: 'gpt_neox',
      num_attention_heads: 4,
      num_hidden_layers: 3,
      tie_word_embeddings: false,
      torch_dtype: 'float16',
      use_cache: true,
      use_parallel_residual: true,
      vocab_size: VOCABULARY,
      ...config,
    },
    rest,
  );
}

function phi3(config: RawConfig, rest: Partial<Family>): Family {
  return family(
    {
      architectures: ['Phi3ForCausalLM'],
      attention_dropout: 0,
      bos_token_id: 0,
      embd_pdrop: 0,
      eos_token_id: 1,
      hidden_act: 'silu',
      hidden_size: 32,
      intermediate_size: 56,
      max_position_embeddings: 64,
      model_type: 'phi3',
      num_attention_heads: 4,
      num_hidden_layers: 3,
      num_key_value_heads: 4,
      original_max_position_embeddings: 64,
      pad_token_id: 2,
      resid_pdrop: 0,
      rms_norm_eps: 1e-5,
      rope_scaling: null,
      rope_theta: 10000,
      sliding_window: null,
      tie_word_embeddings: false,
      torch_dtype: 'bfloat16',
      vocab_size: VOCABULARY,
      ...config,
    },
    rest,
  );
}

function gpt2(config: RawConfig, rest: Partial<Family>): Family {
  return family(
    {
      activation_function: 'gelu_new',
      architectures: ['GPT2LMHeadModel'],
      attn_pdrop: 0.1,
      bos_token_id: 0,
      embd_pdrop: 0.1,
      eos_token_id: 0,
      layer_norm_epsilon: 1e-5,
      model_type: 'gpt2',
      n_ctx: 64,
      n_embd: 32,
      n_head: 4,
      n_layer: 3,
      n_positions: 64,
      resid_pdrop: 0.1,
      summary_type: 'cls_index',
      vocab_size: VOCABULARY,
      ...config,
    },
    rest,
  );
}

function bloom(config: RawConfig, rest: Partial<Family>): Family {
  return family(
    {
      apply_residual_connection_post_layernorm: false,
      architectures: ['BloomForCausalLM'],
      attention_softmax_in_fp32: true,
      bos_token_id: 0,
      eos_token_id: 1,
      hidden_dropout: 0,
      layer_norm_epsilon: 1e-5,
      model_type: 'bloom',
      n_inner: null,
      n_layer: 3,
      offset_alibi: 100,
      pad_token_id: 2,
      pretraining_tp: 2,
      seq_length: 64,
      skip_bias_add: true,
      slow_but_exact: false,
      vocab_size: VOCABULARY,
      ...config,
    },
    rest,
  );
}

function falcon(config: RawConfig, rest: Partial<Family>): Family {
  return family(
    {
      alibi: false,
      architectures: ['FalconForCausalLM'],
      attention_dropout: 0,
      bias: false,
      bos_token_id: 0,
      eos_token_id: 1,
      hidden_dropout: 0,
      hidden_size: 32,
      layer_norm_epsilon: 1e-5,
      max_position_embeddings: 64,
      model_type: 'falcon',
      new_decoder_architecture: false,
      num_attention_heads: 4,
      num_hidden_layers: 3,
      torch_dtype: 'bfloat16',
      vocab_size: VOCABULARY,
      ...config,
    },
    rest,
  );
}

/** LLaMA's kin with other norms, whose seeds are said: what other families are added does not change them. */
function kin(config: RawConfig, rest: Partial<Family> & Pick<Family, 'seed'>): Family {
  return llama({ tie_word_embeddings: undefined, ...config }, rest);
}

function family(config: RawConfig, rest: Partial<Family>): Family {
  return { config, dtype: 'F32', shards: 1, beginToken: false, seed: rest.seed ?? ++seed, length: 40, ...rest };
}

/** Wavelengths of 96 and 24 tokens: of the pairs of a small head some stay, some are blended, some are stretched. */
function llama3Scaling(factor: number): RawConfig {
  return {
    factor,
    low_freq_factor: 1,
    high_freq_factor: 4,
    original_max_position_embeddings: 96,
    rope_type: 'llama3',
  };
}

/** One factor for each pair of a head's 8 features. */
function longropeScaling(): RawConfig {
  return { type: 'longrope', short_factor: [1, 1.1, 1.3, 1.6], long_factor: [1.2, 2, 3.5, 6] };
}
