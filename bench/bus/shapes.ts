import { parseConfig } from '../../src/engine/checkpoint/readConfig.ts';
import type { ModelConfig } from '../../src/engine/families/families.ts';
import type { Sizes } from '../generatedModel.ts';
import type { BusShape } from './crossings.ts';

interface ModelShape extends Sizes {
  /** Of a sequence, as it is evaluated. */
  readonly tokens: number;
  /** Sequences of WikiText-2's test text, with tokenizers of LLaMA's. */
  readonly sequences: number;
}

/** The reference checkpoint, GPT-2 small's size in LLaMA's shape, and LLaMA-7B. */
export const SHAPES = {
  '6m': {
    hidden: 256,
    intermediate: 688,
    depth: 6,
    heads: 8,
    kvHeads: 4,
    vocabulary: 4096,
    tokens: 256,
    sequences: 1455,
  },
  '110m': {
    hidden: 768,
    intermediate: 2048,
    depth: 12,
    heads: 12,
    kvHeads: 12,
    vocabulary: 32_000,
    tokens: 512,
    sequences: 665,
  },
  '7b': {
    hidden: 4096,
    intermediate: 11_008,
    depth: 32,
    heads: 32,
    kvHeads: 32,
    vocabulary: 32_000,
    tokens: 2048,
    sequences: 166,
  },
} as const satisfies Readonly<Record<string, ModelShape>>;

export type ShapeName = keyof typeof SHAPES;

/** Rows that a device with memory of its own takes at a time. */
const ROWS = 4096;

/** A batch of sequences; of tasks 500 places are asked in it; an answer has come to 1000 tokens. */
export function busShapeOf(name: ShapeName): BusShape {
  const { tokens, hidden, heads, ...shape } = SHAPES[name];
  return { ...shape, hidden, heads, tokens, headDim: hidden / heads, batch: ROWS / tokens, asked: 500, capacity: 1024 };
}

/** @param length of the longest text */
export function configOf(name: ShapeName): ModelConfig {
  const { hidden, intermediate, depth, heads, kvHeads, vocabulary, tokens } = SHAPES[name];
  const values = {
    ...{ architectures: ['LlamaForCausalLM'], model_type: 'llama', hidden_size: hidden, num_hidden_layers: depth },
    ...{ intermediate_size: intermediate, num_attention_heads: heads, num_key_value_heads: kvHeads },
    ...{ vocab_size: vocabulary, max_position_embeddings: tokens, rms_norm_eps: 1e-5, hidden_act: 'silu' },
    tie_word_embeddings: false,
  };
  return parseConfig(values, `the shape ${name}`);
}
