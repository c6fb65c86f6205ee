import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Rng } from '../src/base/rng.ts';
import { writeSafetensors } from '../src/engine/checkpoint/safetensorsWriter.ts';
import type { TensorToWrite } from '../src/engine/checkpoint/safetensorsWriter.ts';
import { generateText, WORDS } from '../test/support/generate/text.ts';
import { tokenizerJson } from '../test/support/generate/tokenizer.ts';

/** GPT-2 small's size in LLaMA's shape: 85M parameters in the blocks, 24.6M in the tied embedding. */
export const SHAPE = { hidden: 768, intermediate: 2048, depth: 12, heads: 12, vocabulary: 32_000 } as const;

export interface GeneratedModel {
  readonly folder: string;
  readonly text: string;
}

/** A 110M-parameter LLaMA of random bfloat16 weights and a text, in a temporary folder that the caller removes. */
export async function generateModel(): Promise<GeneratedModel> {
  const folder = await mkdtemp(join(tmpdir(), 'espalier-bench-'));
  const text = join(folder, 'text.txt');
  await writeFile(join(folder, 'config.json'), JSON.stringify(config()));
  const tokenizer = tokenizerJson({ words: WORDS, specials: ['<s>', '</s>', '<unk>'] });
  await writeFile(join(folder, 'tokenizer.json'), JSON.stringify(tokenizer));
  await writeFile(text, generateText(1, 12_000));
  await writeSafetensors(join(folder, 'model.safetensors'), tensors());
  return { folder, text };
}

/**
 * Floating-point operations of one token's forward pass: two for each weight that it is multiplied with (the head's too), and
 * attention's two products over the tokens before it, on average half of the block.
 */
export function operationsPerToken(length: number): number {
  const { hidden, intermediate, depth, vocabulary } = SHAPE;
  const weights = depth * (4 * hidden * hidden + 3 * hidden * intermediate) + vocabulary * hidden;
  const attention = depth * 2 * hidden * ((length + 1) / 2);
  return 2 * (weights + attention);
}

function config(): unknown {
  return {
    architectures: ['LlamaForCausalLM'],
    model_type: 'llama',
    hidden_size: SHAPE.hidden,
    intermediate_size: SHAPE.intermediate,
    num_hidden_layers: SHAPE.depth,
    num_attention_heads: SHAPE.heads,
    num_key_value_heads: SHAPE.heads,
    vocab_size: SHAPE.vocabulary,
    max_position_embeddings: 2048,
    rms_norm_eps: 1e-5,
    rope_theta: 10_000,
    hidden_act: 'silu',
    tie_word_embeddings: true,
    bos_token_id: 0,
    eos_token_id: 1,
    torch_dtype: 'bfloat16',
  };
}

function tensors(): Map<string, TensorToWrite> {
  const { hidden, intermediate, depth, vocabulary } = SHAPE;
  const normals = Float32Array.from({ length: 1 << 20 }, normalsOf(new Rng(1)));
  let offset = 0;
  const found = new Map<string, TensorToWrite>();
  const matrix = (name: string, rows: number, columns: number) => {
    // A pool of a million numbers, entered elsewhere by each matrix: drawing 110 million would take longer than the benchmark.
    const data = new Float32Array(rows * columns);
    const scale = 1 / Math.sqrt(columns);
    offset = (offset + 7919) % normals.length;
    for (let i = 0; i < data.length; i++) data[i] = normals[(offset + i) % normals.length]! * scale;
    found.set(name, { dtype: 'BF16', shape: [rows, columns], data });
  };
  const norm = (name: string) =>
    found.set(name, { dtype: 'BF16', shape: [hidden], data: new Float32Array(hidden).fill(1) });

  matrix('model.embed_tokens.weight', vocabulary, hidden);
  for (let block = 0; block < depth; block++) {
    const layer = (name: string) => `model.layers.${block}.${name}.weight`;
    for (const name of ['q_proj', 'k_proj', 'v_proj', 'o_proj']) matrix(layer(`self_attn.${name}`), hidden, hidden);
    for (const name of ['gate_proj', 'up_proj']) matrix(layer(`mlp.${name}`), intermediate, hidden);
    matrix(layer('mlp.down_proj'), hidden, intermediate);
    norm(layer('input_layernorm'));
    norm(layer('post_attention_layernorm'));
  }
  norm('model.norm.weight');
  return found;
}

function normalsOf(rng: Rng): () => number {
  return () => rng.normal();
}
