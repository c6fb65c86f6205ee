/** config.json of small models, one a family, as transformers 4 writes them. */
export const TINY_LLAMA = {
  architectures: ['LlamaForCausalLM'],
  model_type: 'llama',
  hidden_size: 64,
  intermediate_size: 96,
  num_hidden_layers: 3,
  num_attention_heads: 8,
  num_key_value_heads: 4,
  vocab_size: 100,
  max_position_embeddings: 512,
  rms_norm_eps: 1e-5,
  rope_theta: 10_000,
  hidden_act: 'silu',
  tie_word_embeddings: false,
  torch_dtype: 'bfloat16',
};

export const TINY_MISTRAL = {
  ...TINY_LLAMA,
  architectures: ['MistralForCausalLM'],
  model_type: 'mistral',
  sliding_window: 128,
};

export const TINY_QWEN2 = {
  ...TINY_LLAMA,
  architectures: ['Qwen2ForCausalLM'],
  model_type: 'qwen2',
  use_sliding_window: false,
  sliding_window: 128,
  max_window_layers: 2,
};

export const TINY_QWEN3 = {
  ...TINY_QWEN2,
  architectures: ['Qwen3ForCausalLM'],
  model_type: 'qwen3',
  head_dim: 16,
  attention_bias: false,
};

export const TINY_OPT = {
  architectures: ['OPTForCausalLM'],
  model_type: 'opt',
  hidden_size: 64,
  ffn_dim: 96,
  num_hidden_layers: 3,
  num_attention_heads: 8,
  vocab_size: 100,
  max_position_embeddings: 512,
  do_layer_norm_before: true,
  word_embed_proj_dim: 64,
  activation_function: 'relu',
  _remove_final_layer_norm: false,
};

export const TINY_GPT_NEOX = {
  architectures: ['GPTNeoXForCausalLM'],
  model_type: 'gpt_neox',
  hidden_size: 64,
  intermediate_size: 96,
  num_hidden_layers: 3,
  num_attention_heads: 4,
  vocab_size: 100,
  max_position_embeddings: 512,
  layer_norm_eps: 1e-5,
  hidden_act: 'gelu',
  rotary_pct: 0.25,
  rotary_emb_base: 10_000,
  use_parallel_residual: true,
  tie_word_embeddings: false,
};

export const TINY_PHI3 = {
  ...TINY_LLAMA,
  architectures: ['Phi3ForCausalLM'],
  model_type: 'phi3',
  original_max_position_embeddings: 128,
  sliding_window: null,
};

/** As Phi-4-mini writes it. */
export const TINY_PHI4 = {
  ...TINY_PHI3,
  partial_rotary_factor: 0.75,
  tie_word_embeddings: true,
  rope_scaling: { type: 'longrope', short_factor: [1, 1.5, 2], long_factor: [1, 3, 4] },
};

export const TINY_GPT2 = {
  architectures: ['GPT2LMHeadModel'],
  model_type: 'gpt2',
  n_embd: 64,
  n_layer: 3,
  n_head: 4,
  n_positions: 512,
  n_ctx: 512,
  vocab_size: 100,
  activation_function: 'gelu_new',
  layer_norm_epsilon: 1e-5,
};

/** As BLOOM-560m writes it. */
export const TINY_BLOOM = {
  architectures: ['BloomForCausalLM'],
  model_type: 'bloom',
  n_embed: 64,
  n_layer: 3,
  num_attention_heads: 4,
  n_inner: null,
  vocab_size: 100,
  seq_length: 512,
  layer_norm_epsilon: 1e-5,
  apply_residual_connection_post_layernorm: false,
  pretraining_tp: 2,
  slow_but_exact: false,
};

export const TINY_FALCON = {
  architectures: ['FalconForCausalLM'],
  model_type: 'falcon',
  hidden_size: 64,
  num_hidden_layers: 3,
  num_attention_heads: 4,
  vocab_size: 100,
  max_position_embeddings: 512,
  layer_norm_epsilon: 1e-5,
  alibi: false,
  bias: false,
  multi_query: true,
  new_decoder_architecture: false,
  parallel_attn: true,
};

const { rms_norm_eps, tie_word_embeddings, ...PLAIN } = TINY_LLAMA;

export const TINY_GEMMA = {
  ...{ ...PLAIN, rms_norm_eps, architectures: ['GemmaForCausalLM'], model_type: 'gemma', head_dim: 16 },
  hidden_act: 'gelu_pytorch_tanh',
};

export const TINY_GEMMA2 = {
  ...{ ...TINY_GEMMA, architectures: ['Gemma2ForCausalLM'], model_type: 'gemma2', sliding_window: 128 },
  ...{ hidden_activation: 'gelu_pytorch_tanh', query_pre_attn_scalar: 16 },
  ...{ attn_logit_softcapping: 50, final_logit_softcapping: 30 },
};

export const TINY_GEMMA3 = {
  ...{ ...TINY_GEMMA, architectures: ['Gemma3ForCausalLM'], model_type: 'gemma3_text', sliding_window: 128 },
  ...{ hidden_activation: 'gelu_pytorch_tanh', query_pre_attn_scalar: 16, sliding_window_pattern: 3 },
  ...{ rope_theta: 1_000_000, rope_local_base_freq: 10_000 },
};

export const TINY_OLMO2 = {
  ...{ ...PLAIN, rms_norm_eps, tie_word_embeddings, architectures: ['Olmo2ForCausalLM'], model_type: 'olmo2' },
};

export const TINY_GRANITE = {
  ...{ ...PLAIN, rms_norm_eps, tie_word_embeddings, architectures: ['GraniteForCausalLM'], model_type: 'granite' },
  ...{ embedding_multiplier: 12, residual_multiplier: 0.22, attention_multiplier: 0.015625, logits_scaling: 16 },
};

export const TINY_STABLELM = {
  ...{ ...PLAIN, tie_word_embeddings, architectures: ['StableLmForCausalLM'], model_type: 'stablelm' },
  ...{ layer_norm_eps: 1e-5, partial_rotary_factor: 0.25, use_qkv_bias: true, num_attention_heads: 4 },
  ...{ use_parallel_residual: false, qk_layernorm: false },
};

export const TINY_SMOLLM3 = {
  ...{ ...PLAIN, rms_norm_eps, architectures: ['SmolLM3ForCausalLM'], model_type: 'smollm3' },
  ...{ no_rope_layer_interval: 2, use_sliding_window: false, sliding_window: null },
};

export const TINY_COHERE = {
  ...{ ...PLAIN, architectures: ['CohereForCausalLM'], model_type: 'cohere' },
  ...{ layer_norm_eps: 1e-5, logit_scale: 0.0625, use_qk_norm: false },
};

export const TINY_COHERE2 = {
  ...{ ...PLAIN, architectures: ['Cohere2ForCausalLM'], model_type: 'cohere2' },
  ...{ layer_norm_eps: 1e-5, logit_scale: 0.25, sliding_window: 128, sliding_window_pattern: 3 },
};
