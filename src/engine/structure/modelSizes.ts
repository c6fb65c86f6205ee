import type { BlockSizes, ModelCosts, Size } from '../../experiment/costSchema.ts';
import type { Checkpoint } from '../checkpoint/checkpoint.ts';
import { byteLength } from '../checkpoint/elementTypes.ts';
import { type BlockShape, blockShape, hasMlpOutputBias } from '../families/config.ts';
import { allParameters, familyOf, type ModelConfig } from '../families/families.ts';
import type { Parameter } from '../families/family.ts';
import { sizeOf } from '../graph/shape.ts';

/** Exact parameters and bytes of a model by what its blocks keep, without times. Bytes are in the types of the checkpoint; biases that it lacks are float32. */
export function modelSizes({ config, tensors }: Pick<Checkpoint, 'config' | 'tensors'>): ModelCosts {
  const stored = (parameters: readonly Parameter[]): Size =>
    parameters.map((parameter) => sizeOfParameter(parameter, tensors)).reduce(added, NOTHING);
  const kinds: ModelCosts['kinds'][number][] = [];
  const known = new Map<string, number>();
  const blocks = config.windows.map((_, index) => {
    const { kvHeads: groups, intermediate: channels, experts } = blockShape(config, index);
    const kind = {
      plain: blockSizes(config, index, stored),
      compensated: blockSizes(compensated(config), index, stored),
    };
    const key = JSON.stringify(kind);
    if (!known.has(key)) known.set(key, kinds.push(kind) - 1);
    return { kind: known.get(key)!, groups, channels, ...(experts !== undefined && { experts }) };
  });
  const all = stored(allParameters(config));
  const inBlocks = config.windows
    .map((_, index) => stored(familyOf(config).block(config, index).parameters))
    .reduce(added, NOTHING);
  return { kinds, blocks, outside: less(all, inBlocks) };
}

/** Sizes rise in straight lines with what is kept, once something is: so a few shapes say all. */
function blockSizes(config: ModelConfig, index: number, stored: (of: readonly Parameter[]) => Size): BlockSizes {
  const dense = blockShape(config, index);
  const at = (groups: number, channels: number, experts: number): Size => {
    const shape: BlockShape = {
      heads: groups * (config.heads / config.kvHeads),
      kvHeads: groups,
      intermediate: channels,
      ...(dense.experts !== undefined && { experts }),
    };
    const blocks = config.windows.map((_, i) => (i === index ? shape : blockShape(config, i)));
    const mixture = config.mixture && {
      ...config.mixture,
      experts: config.mixture.experts.map((count, i) => (i === index ? experts : count)),
    };
    const sized = { ...config, blocks, ...(mixture && { mixture }) };
    return stored(familyOf(sized).block(sized, index).parameters);
  };
  const isMixture = dense.experts !== undefined;
  const group = less(at(2, 0, 1), at(1, 0, 1));
  const expert = isMixture ? less(at(0, 0, 2), at(0, 0, 1)) : NOTHING;
  const channel = isMixture ? NOTHING : less(at(0, 2, 0), at(0, 1, 0));
  const mlp = isMixture ? less(at(0, 0, 1), expert) : less(at(0, 1, 0), channel);
  const both = isMixture ? less(less(at(1, 0, 1), expert), group) : less(less(at(1, 1, 0), channel), group);
  const none = isMixture ? mlp : at(0, 0, 0);
  const attention = isMixture ? both : less(at(1, 0, 0), group);
  return { group, channel, expert, rest: { none, attention, mlp, both } };
}

/** With what {@link removedConfig} gives the output projections. */
function compensated(config: ModelConfig): ModelConfig {
  const { bias } = config;
  return { ...config, bias: { ...bias, attentionOutput: true, ...(!hasMlpOutputBias(config) && { mlpOutput: true }) } };
}

function sizeOfParameter({ tensor, shape }: Parameter, tensors: Checkpoint['tensors']): Size {
  const parameters = sizeOf(shape);
  return { parameters, bytes: byteLength(tensors.get(tensor)?.dtype ?? 'F32', parameters)! };
}

const NOTHING: Size = { parameters: 0, bytes: 0 };

function added(a: Size, b: Size): Size {
  return { parameters: a.parameters + b.parameters, bytes: a.bytes + b.bytes };
}

function less(a: Size, b: Size): Size {
  return { parameters: a.parameters - b.parameters, bytes: a.bytes - b.bytes };
}
