import type { RawConfig, TensorSpec } from './tensorInventory.ts';

/** What LLaMA's kin with other norms have beside its linear layers. */
interface Kin {
  /** Norms of a block over the hidden features. */
  readonly norms: readonly string[];
  readonly normBias?: boolean;
  /** Gemma stores norms less one. */
  readonly lessOne?: boolean;
  /** Tensors of the norms of queries (`q`) and keys (`k`). */
  readonly ofHeads?: (which: 'q' | 'k', heads: number, headDim: number) => readonly (readonly [string, number[]])[];
}

/** By `model_type`. */
const KIN: Readonly<Record<string, (config: RawConfig) => Kin>> = {
  gemma: () => ({ norms: ['input_layernorm', 'post_attention_layernorm'], lessOne: true }),
  gemma2: () => ({ norms: AROUND, lessOne: true }),
  gemma3_text: () => ({
    norms: AROUND,
    lessOne: true,
    ofHeads: (which, _, headDim) => [[`${which}_norm.weight`, [headDim]]],
  }),
  olmo2: () => ({
    norms: ['post_attention_layernorm', 'post_feedforward_layernorm'],
    ofHeads: (which, heads, headDim) => [[`${which}_norm.weight`, [heads * headDim]]],
  }),
  granite: () => ({ norms: ['input_layernorm', 'post_attention_layernorm'] }),
  smollm3: () => ({ norms: ['input_layernorm', 'post_attention_layernorm'] }),
  stablelm: (config) => ({
    norms: ['input_layernorm', ...(config['use_parallel_residual'] === true ? [] : ['post_attention_layernorm'])],
    normBias: true,
    ...(config['qk_layernorm'] === true && {
      ofHeads: (which, heads, headDim) =>
        Array.from({ length: heads }, (_, i) => [`${which}_layernorm.norms.${i}.weight`, [headDim]] as const),
    }),
  }),
  cohere: (config) => ({
    norms: ['input_layernorm'],
    ...(config['use_qk_norm'] === true && {
      ofHeads: (which, heads, headDim) => [[`${which}_norm.weight`, [heads, headDim]]],
    }),
  }),
  cohere2: () => ({ norms: ['input_layernorm'] }),
};

const AROUND = [
  ...['input_layernorm', 'post_attention_layernorm'],
  ...['pre_feedforward_layernorm', 'post_feedforward_layernorm'],
];

/** Those whose embeddings are tied where nothing is said. */
const TIED = ['gemma', 'gemma2', 'gemma3_text', 'smollm3', 'cohere', 'cohere2'];

export const KIN_TYPES = Object.keys(KIN);

/** Every tensor of a checkpoint of one of {@link KIN_TYPES}. */
export function kinTensors(config: RawConfig): TensorSpec[] {
  const number = (key: string, fallback?: number): number => (config[key] ?? fallback) as number;
  const type = config['model_type'] as string;
  const { norms, normBias = false, lessOne = false, ofHeads } = KIN[type]!(config);
  const normRole = lessOne ? 'norm-less-one' : 'norm';
  const [hidden, intermediate, heads] = ['hidden_size', 'intermediate_size', 'num_attention_heads'].map((key) =>
    number(key),
  ) as [number, number, number];
  const kvHeads = number('num_key_value_heads', heads);
  const headDim = number('head_dim', hidden / heads);
  const table = [number('vocab_size'), hidden];
  const tied = (config['tie_word_embeddings'] ?? TIED.includes(type)) === true;
  const bias = config['attention_bias'] === true;
  const inputBias = bias || config['use_qkv_bias'] === true;
  const mlpBias = config['mlp_bias'] === true;

  const linear = (name: string, rows: number, columns: number, role: TensorSpec['role'], biased: boolean) => [
    { name: `${name}.weight`, shape: [rows, columns], role },
    ...(biased ? [{ name: `${name}.bias`, shape: [rows], role: 'bias' as const }] : []),
  ];
  const norm = (name: string): TensorSpec[] => [
    { name: `${name}.weight`, shape: [hidden], role: normRole },
    ...(normBias ? [{ name: `${name}.bias`, shape: [hidden], role: 'bias' as const }] : []),
  ];
  return [
    { name: 'model.embed_tokens.weight', shape: table, role: tied ? 'tied-embedding' : 'embedding' },
    ...Array.from({ length: number('num_hidden_layers') }, (_, i) => `model.layers.${i}`).flatMap((block) => [
      ...norms.flatMap((name) => norm(`${block}.${name}`)),
      ...linear(`${block}.self_attn.q_proj`, heads * headDim, hidden, 'attention-logit', inputBias),
      ...linear(`${block}.self_attn.k_proj`, kvHeads * headDim, hidden, 'attention-logit', inputBias),
      ...linear(`${block}.self_attn.v_proj`, kvHeads * headDim, hidden, 'residual-input', inputBias),
      ...linear(`${block}.self_attn.o_proj`, hidden, heads * headDim, 'residual-output', bias),
      ...[...(ofHeads?.('q', heads, headDim) ?? []), ...(ofHeads?.('k', kvHeads, headDim) ?? [])].map(
        ([name, shape]): TensorSpec => ({ name: `${block}.self_attn.${name}`, shape, role: normRole }),
      ),
      ...linear(`${block}.mlp.gate_proj`, intermediate, hidden, 'residual-input', mlpBias),
      ...linear(`${block}.mlp.up_proj`, intermediate, hidden, 'residual-input', mlpBias),
      ...linear(`${block}.mlp.down_proj`, hidden, intermediate, 'residual-output', mlpBias),
    ]),
    ...norm('model.norm'),
    ...(tied ? [] : [{ name: 'lm_head.weight', shape: table, role: 'head' as const }]),
  ];
}
