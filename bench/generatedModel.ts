import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Rng } from '../src/base/rng.ts';
import { writeSafetensors } from '../src/engine/checkpoint/safetensorsWriter.ts';
import type { TensorToWrite } from '../src/engine/checkpoint/safetensorsWriter.ts';
import { generateText, WORDS } from '../test/support/generate/text.ts';
import { tokenizerJson } from '../test/support/generate/tokenizer.ts';

/** Sizes of a LLaMA. */
export interface Sizes {
  readonly hidden: number;
  readonly intermediate: number;
  readonly depth: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly vocabulary: number;
}

export interface ModelShape extends Sizes {
  /** Whether the head's matrix is the embedding's. */
  readonly tied: boolean;
}

export const SHAPES = {
  /** GPT-2 small's size: 85M parameters in the blocks, 24.6M in the tied embedding. */
  '110m': { hidden: 768, intermediate: 2048, depth: 12, heads: 12, kvHeads: 12, vocabulary: 32_000, tied: true },
  /** Six of TinyLlama's 22 blocks. */
  tinyllama: { hidden: 2048, intermediate: 5632, depth: 6, heads: 32, kvHeads: 4, vocabulary: 32_000, tied: false },
  /** One of LLaMA-7B's 32 blocks, with a head that is next to nothing. */
  '7b': { hidden: 4096, intermediate: 11_008, depth: 1, heads: 32, kvHeads: 32, vocabulary: 512, tied: true },
  /** Small enough that growth over a range of sizes takes seconds. */
  growth: { hidden: 256, intermediate: 688, depth: 4, heads: 8, kvHeads: 4, vocabulary: 512, tied: true },
} as const satisfies Readonly<Record<string, ModelShape>>;
export type ShapeName = keyof typeof SHAPES;

export interface GeneratedModel {
  readonly folder: string;
  readonly text: string;
}

/** A LLaMA of random bfloat16 weights and a text of so many words, in a temporary folder that the caller removes. */
export async function generateModel(shape: ModelShape = SHAPES['110m'], words = 12_000): Promise<GeneratedModel> {
  const folder = await mkdtemp(join(tmpdir(), 'espalier-bench-'));
  const text = join(folder, 'text.txt');
  await writeFile(join(folder, 'config.json'), JSON.stringify(modelConfig(shape)));
  const tokenizer = tokenizerJson({ words: WORDS, specials: ['<s>', '</s>', '<unk>'] });
  await writeFile(join(folder, 'tokenizer.json'), JSON.stringify(tokenizer));
  await writeFile(text, generateText(1, words));
  await writeSafetensors(join(folder, 'model.safetensors'), tensors(shape));
  return { folder, text };
}

/** The linear layers of one block, [out, in]. */
export function linearShapes({
  hidden,
  intermediate,
  heads,
  kvHeads,
}: ModelShape): readonly (readonly [number, number])[] {
  const keys = (hidden / heads) * kvHeads;
  return [
    ...([
      [hidden, hidden],
      [keys, hidden],
      [keys, hidden],
      [hidden, hidden],
    ] as const),
    ...([
      [intermediate, hidden],
      [intermediate, hidden],
      [hidden, intermediate],
    ] as const),
  ];
}

/** config.json of such a model. */
export function modelConfig(shape: ModelShape): unknown {
  return {
    architectures: ['LlamaForCausalLM'],
    model_type: 'llama',
    hidden_size: shape.hidden,
    intermediate_size: shape.intermediate,
    num_hidden_layers: shape.depth,
    num_attention_heads: shape.heads,
    num_key_value_heads: shape.kvHeads,
    vocab_size: shape.vocabulary,
    max_position_embeddings: 16_384,
    rms_norm_eps: 1e-5,
    rope_theta: 10_000,
    hidden_act: 'silu',
    tie_word_embeddings: shape.tied,
    bos_token_id: 0,
    eos_token_id: 1,
    torch_dtype: 'bfloat16',
  };
}

/** Numbers that are drawn; a prime, so that no two rows of a matrix are alike. */
const DRAWN = 1_000_003;

function tensors(shape: ModelShape): Map<string, TensorToWrite> {
  const { hidden, depth, vocabulary, tied } = shape;
  const normals = normalPools(shape);
  let offset = 0;
  const found = new Map<string, TensorToWrite>();
  const matrix = (name: string, [rows, columns]: readonly [number, number]) => {
    offset = (offset + 7919) % DRAWN;
    const data = normals.get(columns)!.subarray(offset, offset + rows * columns);
    found.set(`${name}.weight`, { dtype: 'BF16', shape: [rows, columns], data });
  };
  const norm = (name: string) =>
    found.set(`${name}.weight`, { dtype: 'BF16', shape: [hidden], data: new Float32Array(hidden).fill(1) });

  matrix('model.embed_tokens', [vocabulary, hidden]);
  for (let block = 0; block < depth; block++) {
    const layer = `model.layers.${block}`;
    for (const [index, size] of linearShapes(shape).entries()) matrix(`${layer}.${LINEAR[index]!}`, size);
    norm(`${layer}.input_layernorm`);
    norm(`${layer}.post_attention_layernorm`);
  }
  norm('model.norm');
  if (!tied) matrix('lm_head', [vocabulary, hidden]);
  return found;
}

const LINEAR = [
  ...['self_attn.q_proj', 'self_attn.k_proj', 'self_attn.v_proj', 'self_attn.o_proj'],
  ...['mlp.gate_proj', 'mlp.up_proj', 'mlp.down_proj'],
] as const;

/** Normal numbers over the root of the columns, by the columns: every matrix is a part of a pool, since a whole model would fill the memory. */
function normalPools(shape: ModelShape): ReadonlyMap<number, Float32Array> {
  const rng = new Rng(1);
  const drawn = Float32Array.from({ length: DRAWN }, () => rng.normal());
  const largest = new Map<number, number>([[shape.hidden, shape.vocabulary * shape.hidden]]);
  for (const [rows, columns] of linearShapes(shape)) {
    largest.set(columns, Math.max(largest.get(columns) ?? 0, rows * columns));
  }
  const pool = (columns: number, length: number): Float32Array => {
    const scale = 1 / Math.sqrt(columns);
    const values = new Float32Array(length + DRAWN);
    for (let i = 0; i < values.length; i++) values[i] = drawn[i % DRAWN]! * scale;
    return values;
  };
  return new Map([...largest].map(([columns, length]) => [columns, pool(columns, length)]));
}
