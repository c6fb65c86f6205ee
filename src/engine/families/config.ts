/** What every family says of a model: its config.json, checked and in one vocabulary. A family adds what only its own blocks look at. */
export interface FamilyConfig {
  readonly hidden: number;
  readonly intermediate: number;
  /** Decoder blocks. */
  readonly depth: number;
  /** Sizes of each block where whole components were removed; without it every block has those of the model. Read by {@link blockShape}. */
  readonly blocks?: readonly BlockShape[] | undefined;
  readonly heads: number;
  /** Key-value heads; divides `heads` (grouped-query attention where smaller). */
  readonly kvHeads: number;
  readonly headDim: number;
  readonly vocabulary: number;
  readonly maxPositions: number;
  readonly normEpsilon: number;
  readonly activation: Activation;
  readonly positions: RotaryPositions | LearnedPositions | AlibiPositions;
  /** How each block turns queries and keys, where the blocks are not alike in that; null: not at all. */
  readonly rotations?: readonly (RotaryPositions | null)[];
  /** Tokens of the longest text that the model was made for, where `maxPositions` and a scaling of the positions do not say it. */
  readonly trainedLength?: number;
  /** What becomes of the products of queries and keys, where they are not divided by the root of headDim alone. */
  readonly scores?: Scaling;
  /** What becomes of the head's products, where they are not the logits. */
  readonly logits?: Scaling;
  readonly bias: {
    readonly queryKeyValue: boolean;
    readonly attentionOutput: boolean;
    readonly mlp: boolean;
    /** Of the MLP's last projection, where it differs from the others. */
    readonly mlpOutput?: boolean;
  };
  /** Attention window of each block in tokens (a token sees itself and the window − 1 tokens before it), or undefined: all. */
  readonly windows: readonly (number | undefined)[];
  readonly tiedEmbeddings: boolean;
  /** In families whose blocks mix experts. */
  readonly mixture?: Mixture;
  /**
   * What a block computes depends on beside its weights and sizes: its place in the model (GPT-2 with `scale_attn_by_inverse_layer_idx`), or those
   * of its groups (ALiBi's slopes). Whatever is removed around them, {@link BlockShape} says what they were.
   */
  readonly places?: 'blocks' | 'groups';
}

export interface Mixture {
  /** Experts of each block, 0 where it has one MLP; what {@link FamilyConfig.blocks} says of a block counts before it. */
  readonly experts: readonly number[];
  /** Experts that a token goes through, where a block has so many. */
  readonly perToken: number;
}

export type Activation = 'silu' | 'relu' | 'gelu' | 'gelu-tanh';

/** What one block computes with. Without heads its attention adds nothing but the output projection's bias; without channels so its MLP. */
export interface BlockShape {
  readonly heads: number;
  /** Divides `heads` in the same proportion as in the whole model. */
  readonly kvHeads: number;
  readonly intermediate: number;
  /** Experts that the block mixes, in the place of an MLP; absent where it mixes none. */
  readonly experts?: number;
  /** With `places: 'groups'`: which of the model's groups they are, where some of those are gone. */
  readonly groups?: readonly number[];
  /** With `places: 'blocks'`: which block of the model it was, where that is not its index. */
  readonly place?: number;
}

/** x → scale · x, and then cap · tanh(x / cap) where there is a cap: nothing is larger (Gemma 2). */
export interface Scaling {
  readonly scale?: number;
  readonly cap?: number;
}

export function blockShape(config: FamilyConfig, index: number): BlockShape {
  const { blocks, heads, kvHeads, intermediate, mixture } = config;
  const experts = mixture?.experts[index] ?? 0;
  return blocks?.[index] ?? { heads, kvHeads, ...(experts > 0 ? { intermediate: 0, experts } : { intermediate }) };
}

/** Whether the MLP's last projection has a bias. */
export function hasMlpOutputBias({ bias }: FamilyConfig): boolean {
  return bias.mlpOutput ?? bias.mlp;
}

export interface RotaryPositions {
  readonly kind: 'rotary';
  /** Features of each head that are turned: the first ones, and an even number of them. */
  readonly dims: number;
  /** Cohere: a pair is two features next to each other, and not one of the first half with one of the second. */
  readonly interleaved?: boolean;
  readonly theta: number;
  readonly scaling: RopeScaling;
}

/** OPT: table row of position t is t + offset. */
export interface LearnedPositions {
  readonly kind: 'learned';
  readonly offset: number;
}

/**
 * ALiBi (Press et al. 2022), as BLOOM and Falcon have it: slope · t is added to what a head's query and the key at t score, whatever the query's
 * position; softmax does not see the difference to slope · (t − query).
 */
export interface AlibiPositions {
  readonly kind: 'alibi';
  /** Multiplies what is added. */
  readonly scale: number;
  /** Falcon: slopes, positions and their products are rounded to bfloat16, as transformers has it. */
  readonly rounded: boolean;
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
