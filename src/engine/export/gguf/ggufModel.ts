import type { ModelTensors } from '../../checkpoint/checkpoint.ts';
import type { RopeScaling } from '../../families/config.ts';
import type { ArchitectureName, ModelConfig } from '../../families/families.ts';
import type { GgufReader } from './ggufReader.ts';
import type { GgufArchitecture } from './readable.ts';
import { toHalves } from './rotationOrder.ts';
import { FREQUENCY_FACTORS, ggufName, isTurned } from './tensorNames.ts';

/**
 * The model in a GGUF file of ours, from what stands there alone: sizes and rotation from the metadata, weights as llama.cpp gets them, turned back. What it
 * computes is what llama.cpp is to compute.
 */
export function ggufModel(file: GgufReader): ModelTensors {
  const config = configOf(file);
  const arePairs = ['llama', 'deci'].includes(textOf(file, 'general.architecture'));
  return {
    config,
    read(name, shape, into) {
      const values = file.read(ggufName(name));
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

/** A family that computes the same as the architecture. */
const FAMILIES: Readonly<Record<GgufArchitecture, ArchitectureName>> = {
  llama: 'LlamaForCausalLM',
  deci: 'LlamaForCausalLM',
  qwen2: 'Qwen2ForCausalLM',
  qwen3: 'Qwen3ForCausalLM',
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
    queryKeyNorm: architecture === 'qwen3',
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
  const factor = value('factor') as number;
  switch (value('type')) {
    case undefined:
      return { kind: 'none' };
    case 'linear':
      return { kind: 'linear', factor };
    default: {
      const usual = factor <= 1 ? 1 : 0.1 * Math.log(factor) + 1;
      const originalPositions = value('original_context_length') as number;
      const constants = { betaFast: 32, betaSlow: 1, attentionFactor: usual, truncate: true };
      return { kind: 'yarn', factor, originalPositions, ...constants };
    }
  }
}

function textOf(file: GgufReader, key: string): string {
  return file.metadata.get(key)!.value as string;
}
