import type { ModelTensors } from '../../checkpoint/checkpoint.ts';
import { blockShape, type RopeScaling } from '../../families/config.ts';
import type { ArchitectureName, ModelConfig } from '../../families/families.ts';
import type { GgufReader } from './ggufReader.ts';
import { type GgufArchitecture, turnsPairs, usualYarn } from './readable.ts';
import { toHalves } from './rotationOrder.ts';
import { FREQUENCY_FACTORS, ggufName, isTurned, stackedName } from './tensorNames.ts';

/**
 * The model in a GGUF file of ours, from what stands there alone: sizes and rotation from the metadata, weights as llama.cpp gets them, turned back. What it
 * computes is what llama.cpp is to compute.
 */
export function ggufModel(file: GgufReader): ModelTensors {
  const config = configOf(file);
  const architecture = textOf(file, 'general.architecture') as GgufArchitecture;
  const arePairs = turnsPairs(architecture);
  const isStacked = architecture === 'openelm';
  return {
    config,
    read(name, shape, into) {
      const values = isStacked && isProjection(name) ? readStacked(file, config, name) : file.read(ggufName(name));
      const turned = arePairs && isTurned(name) ? toHalves(values, config.headDim, shape[1] ?? 1) : values;
      if (!into) return turned;
      into.set(turned);
      return into;
    },
    readRows(name, _, first, count, into) {
      if (isTurned(name)) throw new RangeError(`${name} is read as a whole`);
      const values = file.read(ggufName(name), first, count);
      if (!into) return values;
      into.set(values);
      return into;
    },
  };
}

function isProjection(name: string): boolean {
  return /\.self_attn\.[qkv]_proj\.weight$/.test(name);
}

/** Queries, keys or values of the matrix that has all three. */
function readStacked(file: GgufReader, config: ModelConfig, name: string): Float32Array {
  const [, block, which] = /\.(\d+)\.self_attn\.([qkv])_proj/.exec(name)!;
  const { heads, kvHeads } = blockShape(config, Number(block));
  const [first, count] = { q: [0, heads], k: [heads, kvHeads], v: [heads + kvHeads, kvHeads] }[
    which as 'q' | 'k' | 'v'
  ];
  return file.read(stackedName(name), first! * config.headDim, count! * config.headDim);
}

/** A family that computes the same as the architecture. */
const FAMILIES: Readonly<Record<GgufArchitecture, ArchitectureName>> = {
  llama: 'LlamaForCausalLM',
  deci: 'LlamaForCausalLM',
  qwen2: 'Qwen2ForCausalLM',
  qwen3: 'Qwen3ForCausalLM',
  openelm: 'Qwen3ForCausalLM',
};

function configOf(file: GgufReader): ModelConfig {
  const architecture = textOf(file, 'general.architecture') as GgufArchitecture;
  const number = (key: string): number => file.metadata.get(`${architecture}.${key}`)!.value as number;
  const depth = number('block_count');
  const sizes = (key: string): readonly number[] => {
    const value = file.metadata.get(`${architecture}.${key}`)!.value as number | readonly number[];
    return typeof value === 'number' ? new Array<number>(depth).fill(value) : value;
  };
  const [heads, kvHeads, channels] = ['attention.head_count', 'attention.head_count_kv', 'feed_forward_length'].map(
    sizes,
  ) as [readonly number[], readonly number[], readonly number[]];
  const has = (tensor: string): boolean => file.tensors.has(tensor);
  const config = {
    architecture: FAMILIES[architecture],
    hidden: number('embedding_length'),
    intermediate: Math.max(...channels),
    depth,
    heads: Math.max(...heads),
    kvHeads: Math.max(...kvHeads),
    blocks: channels.map((intermediate, i) => ({ heads: heads[i]!, kvHeads: kvHeads[i]!, intermediate })),
    headDim: number('attention.key_length'),
    vocabulary: number('vocab_size'),
    maxPositions: number('context_length'),
    normEpsilon: number('attention.layer_norm_rms_epsilon'),
    activation: 'silu' as const,
    positions: {
      kind: 'rotary' as const,
      dims: number('rope.dimension_count'),
      theta: number('rope.freq_base'),
      scaling: scalingOf(file, architecture),
    },
    bias: {
      queryKeyValue: heads.some((_, index) => has(`blk.${index}.attn_q.bias`)),
      attentionOutput: has('blk.0.attn_output.bias'),
      mlp: has('blk.0.ffn_up.bias'),
      mlpOutput: has('blk.0.ffn_down.bias'),
    },
    windows: new Array<undefined>(depth).fill(undefined),
    tiedEmbeddings: !has('output.weight'),
    queryKeyNorm: architecture === 'qwen3' || architecture === 'openelm',
  };
  return config;
}

/** Factors of frequencies are those of LongRoPE where it has the same for all lengths. */
function scalingOf(file: GgufReader, architecture: GgufArchitecture): RopeScaling {
  const value = (key: string) => file.metadata.get(`${architecture}.rope.scaling.${key}`)?.value;
  if (file.tensors.has(FREQUENCY_FACTORS)) {
    const factors = [...file.read(FREQUENCY_FACTORS)];
    const [originalPositions, attentionFactor] = [1, 1];
    return { kind: 'longrope', shortFactor: factors, longFactor: factors, originalPositions, attentionFactor };
  }
  const type = value('type');
  if (type === undefined) return { kind: 'none' };
  const factor = value('factor') as number;
  if (type === 'linear') return { kind: 'linear', factor };
  const originalPositions = value('original_context_length') as number;
  return { kind: 'yarn', factor, originalPositions, ...usualYarn(factor) };
}

function textOf(file: GgufReader, key: string): string {
  return file.metadata.get(key)!.value as string;
}
