import type { TrainingSettings } from './training/trainer.ts';
import type { CorpusSizes } from './corpus.ts';

/** Everything that decides the files of the sample. The command's defaults are the recipe of the sample that ships. */
export interface SampleRecipe {
  /** Of the stories, of the first weights and of the order in which the stories are read. */
  readonly seed: number;
  readonly sizes: CorpusSizes;
  /** Tokens of the tokenizer, and bytes of the training text that it is learned from. */
  readonly vocabulary: number;
  readonly tokenizerBytes: number;
  /** config.json. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly training: Omit<TrainingSettings, 'seed'>;
}

const VOCABULARY = 1536;

/** The recipe of the sample that ships, with another seed or fewer updates where they are given. */
export function sampleRecipe({ seed, steps }: { readonly seed?: number; readonly steps?: number }): SampleRecipe {
  const { training } = SHIPPED;
  return { ...SHIPPED, seed: seed ?? SHIPPED.seed, training: { ...training, steps: steps ?? training.steps } };
}

export const SHIPPED: SampleRecipe = {
  seed: 0,
  sizes: { train: 12_000_000, calibration: 200_000, test: 200_000 },
  vocabulary: VOCABULARY,
  tokenizerBytes: 2_000_000,
  config: {
    architectures: ['LlamaForCausalLM'],
    model_type: 'llama',
    hidden_size: 128,
    intermediate_size: 320,
    num_hidden_layers: 4,
    num_attention_heads: 4,
    num_key_value_heads: 2,
    head_dim: 32,
    vocab_size: VOCABULARY,
    max_position_embeddings: 256,
    rms_norm_eps: 1e-5,
    rope_theta: 10_000,
    hidden_act: 'silu',
    tie_word_embeddings: true,
    attention_bias: false,
    mlp_bias: false,
    bos_token_id: null,
    eos_token_id: null,
    torch_dtype: 'bfloat16',
    initializer_range: 0.02,
  },
  training: {
    batch: 8,
    length: 256,
    steps: 1500,
    warmup: 100,
    peakRate: 5e-3,
    finalShare: 0.02,
    beta1: 0.9,
    beta2: 0.98,
    epsilon: 1e-8,
    weightDecay: 0,
    clip: 1,
  },
};
