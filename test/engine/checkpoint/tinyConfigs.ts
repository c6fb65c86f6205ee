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
