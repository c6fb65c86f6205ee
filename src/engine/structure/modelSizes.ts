import type { BlockSizes, ModelCosts } from '../../experiment/costSchema.ts';
import type { Size } from '../../experiment/predictionSchema.ts';
import type { Checkpoint } from '../checkpoint/checkpoint.ts';
import { byteLength } from '../checkpoint/elementTypes.ts';
import { type BlockShape, blockShape } from '../families/config.ts';
import { allParameters, familyOf, type ModelConfig } from '../families/families.ts';
import { couplings, type Parameter } from '../families/family.ts';
import { sizeOf } from '../graph/shape.ts';
import { removedConfig } from './removedConfig.ts';

type Stored = Pick<Checkpoint, 'config' | 'tensors'>;

/** What a model's blocks are made of, from config.json and the headers of its weights. */
export function modelSizes(model: Stored): Omit<ModelCosts, 'times'> {
  const { config } = model;
  const kinds = new Map<string, { readonly index: number; readonly first: number }>();
  const blocks = config.windows.map((_, index) => {
    const key = kindOf(model, index);
    const kind = kinds.get(key) ?? { index: kinds.size, first: index };
    kinds.set(key, kind);
    const { kvHeads: groups, intermediate: channels, experts } = blockShape(config, index);
    return { kind: kind.index, groups, channels, ...(experts !== undefined && { experts }) };
  });
  return {
    kinds: [...kinds.values()].map(({ first }) => ({
      plain: blockSizes(model, first, false),
      compensated: blockSizes(model, first, true),
    })),
    blocks,
    outside: sizeOfAll(model, allParameters({ ...config, windows: [] })),
  };
}

/** Blocks are of one kind where what they compute, and how their tensors are stored, differs in their sizes alone. */
function kindOf({ config, tensors }: Stored, index: number): string {
  const { experts } = blockShape(config, index);
  const types = familyOf(config)
    .block({ ...config, blocks: undefined }, index)
    .parameters.map(({ name, tensor }) => `${name} ${tensors.get(tensor)?.dtype}`);
  return JSON.stringify([config.windows[index], config.rotations?.[index], experts === undefined, types]);
}

function blockSizes(model: Stored, index: number, compensated: boolean): BlockSizes {
  const { config } = model;
  const base = compensated ? compensatedConfig(config) : config;
  const { experts: mixed } = blockShape(config, index);
  const perGroup = config.heads / config.kvHeads;
  const readers = couplings(familyOf(config).block({ ...config, blocks: undefined }, index)).filter(
    ({ parts: { axis } }) => axis === 1,
  );
  const computed = new Set(compensated ? readers.map(({ name }) => `${name}.bias`) : []);
  const of = (groups: number, count: number): Size => {
    const mlp = mixed === undefined ? { intermediate: count } : { intermediate: 0, experts: count };
    const shape: BlockShape = { heads: groups * perGroup, kvHeads: groups, ...mlp };
    const blocks = config.windows.map((_, at) => (at === index ? shape : blockShape(config, at)));
    const { parameters } = familyOf(base).block({ ...base, blocks }, index);
    return sizeOfAll(model, parameters, computed);
  };
  const group = less(of(2, 0), of(1, 0));
  const part = less(of(0, 2), of(0, 1));
  return {
    group,
    channel: mixed === undefined ? part : NONE,
    expert: mixed === undefined ? NONE : part,
    rest: {
      none: of(0, 0),
      attention: less(of(1, 0), group),
      mlp: less(of(0, 1), part),
      both: less(less(of(1, 1), group), part),
    },
  };
}

/** What the dense model is with a bias at each output projection. */
function compensatedConfig(config: ModelConfig): ModelConfig {
  const { bias, windows } = removedConfig(
    config,
    config.windows.map(() => ({ groups: '', channels: '' })),
    true,
  );
  return { ...config, bias, windows };
}

/** @param computed names of biases that what is gone is made up for by: they are written as float32 */
function sizeOfAll(
  { tensors }: Stored,
  parameters: readonly Parameter[],
  computed: ReadonlySet<string> = new Set(),
): Size {
  return parameters.reduce((sum: Size, { name, tensor, shape }) => {
    const count = sizeOf(shape);
    const type = computed.has(name) ? 'F32' : (tensors.get(tensor)?.dtype ?? 'F32');
    return { parameters: sum.parameters + count, bytes: sum.bytes + byteLength(type, count)! };
  }, NONE);
}

function less(a: Size, b: Size): Size {
  return { parameters: a.parameters - b.parameters, bytes: a.bytes - b.bytes };
}

const NONE: Size = { parameters: 0, bytes: 0 };
