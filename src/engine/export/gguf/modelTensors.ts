import { type RotaryPositions } from '../../families/config.ts';
import { allParameters, type ModelConfig } from '../../families/families.ts';
import type { Parameter } from '../../families/family.ts';
import { llama3Factors } from '../../models/rope.ts';
import { ELEMENT_FORMS, type GgmlType } from './elements.ts';
import type { TensorInfo } from './layout.ts';
import { type GgufArchitecture, turnsPairs } from './readable.ts';
import { FREQUENCY_FACTORS, ggufName, isBehindQuery, isTurned, STACKED, stackedName } from './tensorNames.ts';
import { type WrittenBlock, writtenBlocks } from './writtenBlocks.ts';

/** A tensor of a GGUF file, and where its values come from. */
export interface PlannedTensor extends TensorInfo {
  readonly source:
    | {
        readonly kind: 'stored';
        /** The checkpoint's tensors whose rows it has, one after the other. */
        readonly tensors: readonly { readonly tensor: string; readonly shape: readonly number[] }[];
        /** Whether its rows are put in the order of llama.cpp's rotation. */
        readonly turned: boolean;
      }
    | { readonly kind: 'values'; readonly values: Float32Array };
}

/**
 * Every tensor of the file, in its order. Matrices have the type that is asked for, or float16 where their rows are not whole blocks of it; vectors are
 * float32, as llama.cpp wants them.
 *
 * @param config of what is written, a family that {@link ggufForm} does not refuse
 */
export function modelTensors(
  config: ModelConfig,
  architecture: GgufArchitecture,
  type: GgmlType,
): readonly PlannedTensor[] {
  const arePairs = turnsPairs(architecture);
  const stored = stackedParameters(config, architecture).map(([first, ...others]): PlannedTensor => {
    const rows = [first, ...others].reduce((sum, { shape }) => sum + shape[0]!, 0);
    const shape = [rows, ...first.shape.slice(1)];
    const turned = arePairs && isTurned(first.tensor);
    return {
      name: others.length > 0 ? stackedName(first.tensor) : ggufName(first.tensor),
      type: typeOf(type, shape),
      shape,
      source: { kind: 'stored', tensors: [first, ...others], turned },
    };
  });
  const blocks = writtenBlocks(config, architecture);
  const zeros = blocks.flatMap((block, index) => standIns(config, architecture, block, `blk.${index}`, type));
  return [...stored, ...zeros, ...frequencyFactors(config.positions as RotaryPositions)];
}

/** Parameters that become one tensor: by themselves, but in `openelm` queries, keys and values are one matrix. */
function stackedParameters(
  config: ModelConfig,
  architecture: GgufArchitecture,
): readonly (readonly [Parameter, ...Parameter[]])[] {
  const stacks: [Parameter, ...Parameter[]][] = [];
  for (const parameter of allParameters(config)) {
    if (architecture === 'openelm' && isBehindQuery(parameter.tensor)) stacks.at(-1)!.push(parameter);
    else stacks.push([parameter]);
  }
  return stacks;
}

/** A matrix in whose rows a type's blocks do not fit is float16 (llama.cpp's own converter does the same). */
function typeOf(type: GgmlType, shape: readonly number[]): GgmlType {
  if (shape.length === 1) return 'F32';
  return shape[1]! % ELEMENT_FORMS[type].elements === 0 ? type : 'F16';
}

/** Zeros for heads and channels that there are none of; the norms before them are ones. A bias behind them is the model's own. */
function standIns(
  { hidden, headDim, bias }: ModelConfig,
  architecture: GgufArchitecture,
  { zeroAttention, zeroMlp }: WrittenBlock,
  prefix: string,
  type: GgmlType,
): readonly PlannedTensor[] {
  const filled = (name: string, shape: readonly number[], value: number): PlannedTensor => ({
    name: `${prefix}.${name}`,
    type: typeOf(type, shape),
    shape,
    source: {
      kind: 'values',
      values: new Float32Array(shape.reduce((product, extent) => product * extent)).fill(value),
    },
  });
  const branch = (norm: string, opening: readonly string[], closing: string, width: number, biased: boolean) => [
    filled(`${norm}.weight`, [hidden], 1),
    ...opening.map((name) => filled(`${name}.weight`, [width, hidden], 0)),
    ...(biased ? opening.map((name) => filled(`${name}.bias`, [width], 0)) : []),
    filled(`${closing}.weight`, [hidden, width], 0),
  ];
  const attention =
    architecture === 'openelm'
      ? [
          ...branch('attn_norm', [], 'attn_output', headDim, false),
          filled(`${STACKED}.weight`, [3 * headDim, hidden], 0),
          ...['attn_q_norm', 'attn_k_norm'].map((name) => filled(`${name}.weight`, [headDim], 1)),
        ]
      : branch('attn_norm', ['attn_q', 'attn_k', 'attn_v'], 'attn_output', headDim, bias.queryKeyValue);
  return [
    ...(zeroAttention ? attention : []),
    ...(zeroMlp ? branch('ffn_norm', ['ffn_gate', 'ffn_up'], 'ffn_down', 1, bias.mlp) : []),
  ];
}

function frequencyFactors({ dims, theta, scaling }: RotaryPositions): readonly PlannedTensor[] {
  if (scaling.kind !== 'llama3') return [];
  const values = llama3Factors(theta, dims, scaling);
  return [{ name: FREQUENCY_FACTORS, type: 'F32', shape: [values.length], source: { kind: 'values', values } }];
}
