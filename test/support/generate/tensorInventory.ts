import { KIN_TYPES, kinTensors } from './kinTensors.ts';

/** What a stored tensor does in the model, which decides how large its random values have to be. */
export type TensorRole =
  | 'embedding'
  | 'tied-embedding'
  | 'position'
  | 'head'
  | 'attention-logit'
  | 'residual-input'
  | 'residual-output'
  | 'projection'
  | 'norm'
  | 'norm-less-one'
  | 'bias';

export interface TensorSpec {
  readonly name: string;
  readonly shape: readonly number[];
  readonly role: TensorRole;
  /** Input features of a matrix, where they are not its columns. */
  readonly inputs?: number;
}

/** A config.json as Hugging Face writes it. */
export type RawConfig = Readonly<Record<string, unknown>>;

/** Every tensor that a checkpoint with this config.json holds, named and shaped as `save_pretrained` does. */
export function tensorInventory(config: RawConfig): TensorSpec[] {
  return (INVENTORIES[config['model_type'] as string] ?? llamaTensors)(config);
}

/** By `model_type`; LLaMA's kin are all one. */
const INVENTORIES: Readonly<Record<string, (config: RawConfig) => TensorSpec[]>> = {
  opt: optTensors,
  gpt_neox: gptNeoXTensors,
  phi3: phi3Tensors,
  gpt2: gpt2Tensors,
  bloom: bloomTensors,
  falcon: falconTensors,
  ...Object.fromEntries(KIN_TYPES.map((type) => [type, kinTensors])),
  mixtral: mixtureTensors,
  qwen2_moe: mixtureTensors,
  qwen3_moe: mixtureTensors,
  olmoe: mixtureTensors,
};

/** LLaMA's tensors with experts in the place of most MLPs. */
function mixtureTensors(config: RawConfig): TensorSpec[] {
  const family = config['model_type'];
  const hidden = count(config, 'hidden_size');
  const headDim = hidden / count(config, 'num_attention_heads');
  const experts = count(config, family === 'mixtral' ? 'num_local_experts' : 'num_experts');
  const channels = count(config, 'moe_intermediate_size', count(config, 'intermediate_size'));
  const plain = (config['mlp_only_layers'] ?? []) as readonly number[];
  const mixes = (block: number): boolean =>
    !plain.includes(block) && (block + 1) % count(config, 'decoder_sparse_step', 1) === 0;
  const mlp = (name: string, [gate, up, down]: readonly string[], size: number): TensorSpec[] => [
    ...linear(`${name}.${gate!}`, size, hidden, 'residual-input', false),
    ...linear(`${name}.${up!}`, size, hidden, 'residual-input', false),
    ...linear(`${name}.${down!}`, hidden, size, 'residual-output', false),
  ];
  const projections = ['gate_proj', 'up_proj', 'down_proj'];
  const inBlock = (block: number): TensorSpec[] => {
    const prefix = `model.layers.${block}`;
    const module = `${prefix}.${family === 'mixtral' ? 'block_sparse_moe' : 'mlp'}`;
    const router: TensorSpec = { name: `${module}.gate.weight`, shape: [experts, hidden], role: 'attention-logit' };
    const shared = config['shared_expert_intermediate_size'] as number | undefined;
    return [
      router,
      ...Array.from({ length: experts }, (_, expert) =>
        mlp(`${module}.experts.${expert}`, family === 'mixtral' ? ['w1', 'w3', 'w2'] : projections, channels),
      ).flat(),
      ...(shared === undefined ? [] : mlp(`${prefix}.mlp.shared_expert`, projections, shared)),
      ...(shared === undefined ? [] : linear(`${prefix}.mlp.shared_expert_gate`, 1, hidden, 'attention-logit', false)),
    ];
  };
  const norms = (block: number): TensorSpec[] => [
    norm(`model.layers.${block}.self_attn.q_norm`, hidden),
    norm(`model.layers.${block}.self_attn.k_norm`, headDim * count(config, 'num_key_value_heads')),
  ];
  return llamaTensors(config).flatMap((spec) => {
    const [, block, rest] = /^model\.layers\.(\d+)\.(.*)$/.exec(spec.name) ?? [];
    const index = Number(block);
    if (rest === 'mlp.gate_proj.weight' && mixes(index)) return inBlock(index);
    if (rest?.startsWith('mlp.') && mixes(index)) return [];
    return rest === 'input_layernorm.weight' && family === 'olmoe' ? [spec, ...norms(index)] : [spec];
  });
}

function llamaTensors(config: RawConfig): TensorSpec[] {
  const hidden = count(config, 'hidden_size');
  const intermediate = count(config, 'intermediate_size');
  const heads = count(config, 'num_attention_heads');
  const kvHeads = count(config, 'num_key_value_heads', heads);
  const headDim = count(config, 'head_dim', hidden / heads);
  const vocabulary = count(config, 'vocab_size');
  const family = config['model_type'];
  const attentionBias = config['attention_bias'] === true;
  const inputBias = attentionBias || family === 'qwen2' || (family === 'qwen2_moe' && config['qkv_bias'] !== false);
  const mlpBias = config['mlp_bias'] === true;
  const tied = config['tie_word_embeddings'] === true;

  const tensors: TensorSpec[] = [
    { name: 'model.embed_tokens.weight', shape: [vocabulary, hidden], role: tied ? 'tied-embedding' : 'embedding' },
  ];
  for (let i = 0; i < count(config, 'num_hidden_layers'); i++) {
    const block = `model.layers.${i}`;
    tensors.push(
      norm(`${block}.input_layernorm`, hidden),
      ...linear(`${block}.self_attn.q_proj`, heads * headDim, hidden, 'attention-logit', inputBias),
      ...linear(`${block}.self_attn.k_proj`, kvHeads * headDim, hidden, 'attention-logit', inputBias),
      ...linear(`${block}.self_attn.v_proj`, kvHeads * headDim, hidden, 'residual-input', inputBias),
      ...linear(`${block}.self_attn.o_proj`, hidden, heads * headDim, 'residual-output', attentionBias),
      norm(`${block}.post_attention_layernorm`, hidden),
      ...linear(`${block}.mlp.gate_proj`, intermediate, hidden, 'residual-input', mlpBias),
      ...linear(`${block}.mlp.up_proj`, intermediate, hidden, 'residual-input', mlpBias),
      ...linear(`${block}.mlp.down_proj`, hidden, intermediate, 'residual-output', mlpBias),
    );
    if (family === 'qwen3' || family === 'qwen3_moe')
      tensors.push(norm(`${block}.self_attn.q_norm`, headDim), norm(`${block}.self_attn.k_norm`, headDim));
  }
  tensors.push(norm('model.norm', hidden));
  if (!tied) tensors.push({ name: 'lm_head.weight', shape: [vocabulary, hidden], role: 'head' });
  return tensors;
}

function optTensors(config: RawConfig): TensorSpec[] {
  const hidden = count(config, 'hidden_size');
  const width = count(config, 'word_embed_proj_dim', hidden);
  const before = config['do_layer_norm_before'] !== false;
  const tensors: TensorSpec[] = [
    { name: 'model.decoder.embed_tokens.weight', shape: [count(config, 'vocab_size'), width], role: 'tied-embedding' },
    // OPT's position t has row t + 2.
    {
      name: 'model.decoder.embed_positions.weight',
      shape: [count(config, 'max_position_embeddings') + 2, hidden],
      role: 'position',
    },
  ];
  if (width !== hidden) {
    tensors.push(
      ...linear('model.decoder.project_in', hidden, width, 'projection', false),
      ...linear('model.decoder.project_out', width, hidden, 'projection', false),
    );
  }
  for (let i = 0; i < count(config, 'num_hidden_layers'); i++) {
    const block = `model.decoder.layers.${i}`;
    const intermediate = count(config, 'ffn_dim');
    tensors.push(
      ...linear(`${block}.self_attn.k_proj`, hidden, hidden, 'attention-logit', true),
      ...linear(`${block}.self_attn.v_proj`, hidden, hidden, 'residual-input', true),
      ...linear(`${block}.self_attn.q_proj`, hidden, hidden, 'attention-logit', true),
      ...linear(`${block}.self_attn.out_proj`, hidden, hidden, 'residual-output', true),
      ...layerNorm(`${block}.self_attn_layer_norm`, hidden),
      ...linear(`${block}.fc1`, intermediate, hidden, 'residual-input', true),
      ...linear(`${block}.fc2`, hidden, intermediate, 'residual-output', true),
      ...layerNorm(`${block}.final_layer_norm`, hidden),
    );
  }
  if (before) tensors.push(...layerNorm('model.decoder.final_layer_norm', hidden));
  return tensors;
}

function gptNeoXTensors(config: RawConfig): TensorSpec[] {
  const hidden = count(config, 'hidden_size');
  const intermediate = count(config, 'intermediate_size');
  const table = [count(config, 'vocab_size'), hidden];
  const tied = config['tie_word_embeddings'] === true;
  const bias = config['attention_bias'] !== false;
  const tensors: TensorSpec[] = [
    { name: 'gpt_neox.embed_in.weight', shape: table, role: tied ? 'tied-embedding' : 'embedding' },
  ];
  for (let i = 0; i < count(config, 'num_hidden_layers'); i++) {
    const block = `gpt_neox.layers.${i}`;
    tensors.push(
      ...layerNorm(`${block}.input_layernorm`, hidden),
      ...layerNorm(`${block}.post_attention_layernorm`, hidden),
      ...linear(`${block}.attention.query_key_value`, 3 * hidden, hidden, 'attention-logit', bias),
      ...linear(`${block}.attention.dense`, hidden, hidden, 'residual-output', bias),
      ...linear(`${block}.mlp.dense_h_to_4h`, intermediate, hidden, 'residual-input', true),
      ...linear(`${block}.mlp.dense_4h_to_h`, hidden, intermediate, 'residual-output', true),
    );
  }
  tensors.push(...layerNorm('gpt_neox.final_layer_norm', hidden));
  if (!tied) tensors.push({ name: 'embed_out.weight', shape: table, role: 'head' });
  return tensors;
}

function phi3Tensors(config: RawConfig): TensorSpec[] {
  const hidden = count(config, 'hidden_size');
  const intermediate = count(config, 'intermediate_size');
  const heads = count(config, 'num_attention_heads');
  const headDim = count(config, 'head_dim', hidden / heads);
  const rows = (heads + 2 * count(config, 'num_key_value_heads', heads)) * headDim;
  const table = [count(config, 'vocab_size'), hidden];
  const tied = config['tie_word_embeddings'] === true;
  const tensors: TensorSpec[] = [
    { name: 'model.embed_tokens.weight', shape: table, role: tied ? 'tied-embedding' : 'embedding' },
  ];
  for (let i = 0; i < count(config, 'num_hidden_layers'); i++) {
    const block = `model.layers.${i}`;
    tensors.push(
      ...linear(`${block}.self_attn.o_proj`, hidden, heads * headDim, 'residual-output', false),
      ...linear(`${block}.self_attn.qkv_proj`, rows, hidden, 'attention-logit', false),
      ...linear(`${block}.mlp.gate_up_proj`, 2 * intermediate, hidden, 'residual-input', false),
      ...linear(`${block}.mlp.down_proj`, hidden, intermediate, 'residual-output', false),
      norm(`${block}.input_layernorm`, hidden),
      norm(`${block}.post_attention_layernorm`, hidden),
    );
  }
  tensors.push(norm('model.norm', hidden));
  if (!tied) tensors.push({ name: 'lm_head.weight', shape: table, role: 'head' });
  return tensors;
}

/** Matrices are [in, out]; the causal mask of attention is saved, too, as in the published ones. */
function gpt2Tensors(config: RawConfig): TensorSpec[] {
  const hidden = count(config, 'n_embd');
  const intermediate = count(config, 'n_inner', 4 * hidden);
  const positions = count(config, 'n_positions');
  const table = [count(config, 'vocab_size'), hidden];
  const tied = config['tie_word_embeddings'] !== false;
  const conv = (name: string, inputs: number, outputs: number, role: TensorRole): TensorSpec[] => [
    { name: `${name}.weight`, shape: [inputs, outputs], role, inputs },
    { name: `${name}.bias`, shape: [outputs], role: 'bias' },
  ];
  const tensors: TensorSpec[] = [
    { name: 'transformer.wte.weight', shape: table, role: tied ? 'tied-embedding' : 'embedding' },
    { name: 'transformer.wpe.weight', shape: [positions, hidden], role: 'position' },
  ];
  for (let i = 0; i < count(config, 'n_layer'); i++) {
    const block = `transformer.h.${i}`;
    tensors.push(
      ...layerNorm(`${block}.ln_1`, hidden),
      { name: `${block}.attn.bias`, shape: [1, 1, positions, positions], role: 'bias' },
      ...conv(`${block}.attn.c_attn`, hidden, 3 * hidden, 'attention-logit'),
      ...conv(`${block}.attn.c_proj`, hidden, hidden, 'residual-output'),
      ...layerNorm(`${block}.ln_2`, hidden),
      ...conv(`${block}.mlp.c_fc`, hidden, intermediate, 'residual-input'),
      ...conv(`${block}.mlp.c_proj`, intermediate, hidden, 'residual-output'),
    );
  }
  tensors.push(...layerNorm('transformer.ln_f', hidden));
  if (!tied) tensors.push({ name: 'lm_head.weight', shape: table, role: 'head' });
  return tensors;
}

function bloomTensors(config: RawConfig): TensorSpec[] {
  const hidden = count(config, 'hidden_size', config['n_embed'] as number);
  const table = [count(config, 'vocab_size'), hidden];
  const tied = config['tie_word_embeddings'] !== false;
  const tensors: TensorSpec[] = [
    { name: 'transformer.word_embeddings.weight', shape: table, role: tied ? 'tied-embedding' : 'embedding' },
    ...layerNorm('transformer.word_embeddings_layernorm', hidden),
  ];
  for (let i = 0; i < count(config, 'n_layer'); i++) {
    const block = `transformer.h.${i}`;
    tensors.push(
      ...layerNorm(`${block}.input_layernorm`, hidden),
      ...linear(`${block}.self_attention.query_key_value`, 3 * hidden, hidden, 'attention-logit', true),
      ...linear(`${block}.self_attention.dense`, hidden, hidden, 'residual-output', true),
      ...layerNorm(`${block}.post_attention_layernorm`, hidden),
      ...linear(`${block}.mlp.dense_h_to_4h`, 4 * hidden, hidden, 'residual-input', true),
      ...linear(`${block}.mlp.dense_4h_to_h`, hidden, 4 * hidden, 'residual-output', true),
    );
  }
  tensors.push(...layerNorm('transformer.ln_f', hidden));
  if (!tied) tensors.push({ name: 'lm_head.weight', shape: table, role: 'head' });
  return tensors;
}

function falconTensors(config: RawConfig): TensorSpec[] {
  const hidden = count(config, 'hidden_size');
  const intermediate = count(config, 'ffn_hidden_size', 4 * hidden);
  const heads = count(config, 'num_attention_heads');
  const isNew = config['new_decoder_architecture'] === true;
  const kvHeads = isNew ? count(config, 'num_kv_heads') : config['multi_query'] === false ? heads : 1;
  const rows = (heads + 2 * kvHeads) * (hidden / heads);
  const bias = config['bias'] === true;
  const table = [count(config, 'vocab_size'), hidden];
  const tied = config['tie_word_embeddings'] !== false;
  const norms =
    config['parallel_attn'] === false
      ? ['input_layernorm', 'post_attention_layernorm']
      : isNew && config['num_ln_in_parallel_attn'] !== 1
        ? ['ln_attn', 'ln_mlp']
        : ['input_layernorm'];
  const tensors: TensorSpec[] = [
    { name: 'transformer.word_embeddings.weight', shape: table, role: tied ? 'tied-embedding' : 'embedding' },
  ];
  for (let i = 0; i < count(config, 'num_hidden_layers'); i++) {
    const block = `transformer.h.${i}`;
    tensors.push(
      ...norms.flatMap((name) => layerNorm(`${block}.${name}`, hidden)),
      ...linear(`${block}.self_attention.query_key_value`, rows, hidden, 'attention-logit', bias),
      ...linear(`${block}.self_attention.dense`, hidden, hidden, 'residual-output', bias),
      ...linear(`${block}.mlp.dense_h_to_4h`, intermediate, hidden, 'residual-input', bias),
      ...linear(`${block}.mlp.dense_4h_to_h`, hidden, intermediate, 'residual-output', bias),
    );
  }
  tensors.push(...layerNorm('transformer.ln_f', hidden));
  if (!tied) tensors.push({ name: 'lm_head.weight', shape: table, role: 'head' });
  return tensors;
}

function linear(name: string, rows: number, columns: number, role: TensorRole, bias: boolean): TensorSpec[] {
  const weight: TensorSpec = { name: `${name}.weight`, shape: [rows, columns], role };
  return bias ? [weight, { name: `${name}.bias`, shape: [rows], role: 'bias' }] : [weight];
}

function norm(name: string, width: number): TensorSpec {
  return { name: `${name}.weight`, shape: [width], role: 'norm' };
}

function layerNorm(name: string, width: number): TensorSpec[] {
  return [norm(name, width), { name: `${name}.bias`, shape: [width], role: 'bias' }];
}

function count(config: RawConfig, key: string, fallback?: number): number {
  const value = config[key] ?? fallback;
  if (typeof value !== 'number') throw new TypeError(`config.json of a generated checkpoint lacks ${key}`);
  return value;
}
