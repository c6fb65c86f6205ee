import type { RopeScaling } from '../../families/config.ts';
import type { ModelConfig } from '../../families/families.ts';
import type { GgmlType } from './elements.ts';
import type { GgufValue } from './layout.ts';
import { type GgufForm, isSized } from './readable.ts';
import { writtenBlocks } from './writtenBlocks.ts';

type Entry = readonly [key: string, value: GgufValue];

/** Of `enum llama_ftype`: what most of the matrices are. */
const FILE_TYPES: Readonly<Record<GgmlType, number>> = { F32: 0, F16: 1, Q8_0: 7, BF16: 32 };

/**
 * What llama.cpp has to know of a model beside its tensors and its tokenizer. Keys: `gguf-py/gguf/constants.py` of llama.cpp.
 *
 * Sizes of heads and of what is turned are always said: llama.cpp derives them from hidden size and heads, which no longer fits once heads are gone.
 */
export function modelMetadata(config: ModelConfig, form: GgufForm, type: GgmlType): readonly Entry[] {
  const { architecture, contextLength } = form;
  const { positions, headDim } = config;
  if (positions.kind !== 'rotary') throw new RangeError(`positions are ${positions.kind}`);
  const blocks = writtenBlocks(config, architecture);
  const sizes = (of: 'heads' | 'kvHeads' | 'intermediate'): GgufValue =>
    isSized(architecture) ? { kind: 'uint32s', value: blocks.map((block) => block[of]) } : count(blocks[0]![of]);
  const values: readonly Entry[] = [
    ['vocab_size', count(config.vocabulary)],
    ['context_length', count(contextLength)],
    ['embedding_length', count(config.hidden)],
    ['block_count', count(config.depth)],
    ['feed_forward_length', sizes('intermediate')],
    ['attention.head_count', sizes('heads')],
    ['attention.head_count_kv', sizes('kvHeads')],
    ['attention.key_length', count(headDim)],
    ['attention.value_length', count(headDim)],
    ['attention.layer_norm_rms_epsilon', number(config.normEpsilon)],
    ['rope.dimension_count', count(positions.dims)],
    ['rope.freq_base', number(positions.theta)],
    ...scalingValues(positions.scaling),
  ];
  return [
    ['general.architecture', { kind: 'string', value: architecture }],
    ['general.file_type', count(FILE_TYPES[type])],
    ...(type === 'Q8_0' ? [['general.quantization_version', count(2)] as const] : []),
    ...values.map(([key, value]): Entry => [`${architecture}.${key}`, value]),
  ];
}

/** Scaling by frequency is a tensor of its own, and others are refused before. */
function scalingValues(scaling: RopeScaling): readonly Entry[] {
  switch (scaling.kind) {
    case 'linear':
      return [
        ['rope.scaling.type', { kind: 'string', value: 'linear' }],
        ['rope.scaling.factor', number(scaling.factor)],
      ];
    case 'yarn':
      return [
        ['rope.scaling.type', { kind: 'string', value: 'yarn' }],
        ['rope.scaling.factor', number(scaling.factor)],
        ['rope.scaling.original_context_length', count(scaling.originalPositions)],
      ];
    case 'none':
    case 'llama3':
    case 'dynamic':
    case 'longrope':
      return [];
  }
}

function count(value: number): GgufValue {
  return { kind: 'uint32', value };
}

function number(value: number): GgufValue {
  return { kind: 'float32', value };
}
