/** A checkpoint's config.json, checked and in one vocabulary for all families. Sizes are counts of features. */
export interface ModelConfig {
  readonly architecture: ArchitectureName;
  readonly hidden: number;
  readonly intermediate: number;
  /** Decoder blocks. */
  readonly depth: number;
  /** Sizes of each block where whole components were removed; without it every block has those of the model. Read by {@link blockShape}. */
  readonly blocks?: readonly BlockShape[];
  readonly heads: number;
  /** Key-value heads; divides `heads` (grouped-query attention where smaller). */
  readonly kvHeads: number;
  readonly headDim: number;
  readonly vocabulary: number;
  readonly maxPositions: number;
  readonly norm: { readonly kind: 'rms' | 'layer'; readonly epsilon: number };
  /** OPT: `post` for opt-350m (do_layer_norm_before: false). */
  readonly normPlacement: 'pre' | 'post';
  readonly activation: 'silu' | 'relu' | 'gelu' | 'gelu-tanh';
  /** Gate and up projections (LLaMA family), or one up projection (OPT). */
  readonly gated: boolean;
  readonly positions: RotaryPositions | LearnedPositions;
  readonly bias: {
    readonly queryKeyValue: boolean;
    readonly attentionOutput: boolean;
    readonly mlp: boolean;
    /** Of the down projection (OPT: fc2), where it differs from the other layers of the MLP. */
    readonly mlpOutput?: boolean;
  };
  /** Qwen3: RMS norm over each head of queries and keys before the rotation. */
  readonly queryKeyNorm: boolean;
  /** Attention window of each block in tokens (a token sees itself and the window − 1 tokens before it), or undefined: all. */
  readonly windows: readonly (number | undefined)[];
  readonly tiedEmbeddings: boolean;
  /** Width of the embedding where it differs from `hidden` (opt-350m projects in and out). */
  readonly embeddingWidth: number;
}

/** What one block computes with. Without heads its attention adds nothing but the output projection's bias; without channels so its MLP. */
export interface BlockShape {
  readonly heads: number;
  /** Divides `heads` in the same proportion as in the whole model. */
  readonly kvHeads: number;
  readonly intermediate: number;
}

export function blockShape({ blocks, heads, kvHeads, intermediate }: ModelConfig, index: number): BlockShape {
  return blocks?.[index] ?? { heads, kvHeads, intermediate };
}

/** Whether the MLP's last projection has a bias. */
export function hasMlpOutputBias({ bias }: ModelConfig): boolean {
  return bias.mlpOutput ?? bias.mlp;
}

export interface RotaryPositions {
  readonly kind: 'rotary';
  readonly theta: number;
  readonly scaling: RopeScaling;
}

/** OPT: table row of position t is t + offset. */
export interface LearnedPositions {
  readonly kind: 'learned';
  readonly offset: number;
}

export type RopeScaling =
  | { readonly kind: 'none' }
  | { readonly kind: 'linear'; readonly factor: number }
  | { readonly kind: 'dynamic'; readonly factor: number; readonly originalPositions: number }
  | {
      readonly kind: 'yarn';
      readonly factor: number;
      readonly originalPositions: number;
      readonly betaFast: number;
      readonly betaSlow: number;
      /** Multiplies cosines and sines. */
      readonly attentionFactor: number;
      readonly truncate: boolean;
    }
  | {
      readonly kind: 'longrope';
      readonly shortFactor: readonly number[];
      readonly longFactor: readonly number[];
      readonly originalPositions: number;
      readonly attentionFactor: number;
    }
  | {
      readonly kind: 'llama3';
      readonly factor: number;
      readonly lowFrequencyFactor: number;
      readonly highFrequencyFactor: number;
      readonly originalPositions: number;
    };

export const ARCHITECTURES = [
  'LlamaForCausalLM',
  'MistralForCausalLM',
  'Qwen2ForCausalLM',
  'Qwen3ForCausalLM',
  'OPTForCausalLM',
] as const;
export type ArchitectureName = (typeof ARCHITECTURES)[number];
