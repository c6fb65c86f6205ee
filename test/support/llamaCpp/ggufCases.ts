import type { FamilyName } from '../generate/families.ts';
import type { PlannedEvaluation } from '../../../src/experiment/planSchema.ts';
import { packBits } from '../../../src/experiment/components.ts';
import type { StructureMethod } from '../../../src/experiment/structure.ts';
import type { BlockMask, RateAllocation } from '../../../src/experiment/structureSchema.ts';
import { parsePrefix } from '../../../src/metric/parsePrefix.ts';

/** Kinds of models that a table of readers has a row for each, and a checkpoint of each. */
export const READER_FAMILIES = {
  LLaMA: 'llama-2 grouped queries',
  Mistral: 'mistral 0.3',
  Qwen2: 'qwen2',
  Qwen3: 'qwen3',
} as const satisfies Readonly<Record<string, FamilyName>>;

/** Sizes of what `families.ts` generates: two groups of heads, 56 channels, three blocks. */
const [GROUPS, CHANNELS] = [2, 56];

const half = { kind: 'unstructured', share: 0.5 } as const;

/** What else llama.cpp computes of these families: rotations, biases, window-free ones of other shapes. */
export const GGUF_VARIANTS = [
  'llama-3.1',
  'llama linear',
  'llama yarn',
  'llama biases',
] as const satisfies readonly FamilyName[];

/** Ways in which a model can have been pruned that readers care about. */
export type PrunedShape =
  | 'dense'
  | 'single weights'
  | 'uniform sizes'
  | 'uniform heads alone'
  | 'uniform channels alone'
  | 'sizes by block'
  | 'attentions dropped'
  | 'MLPs dropped'
  | 'blocks dropped'
  | 'FLAP, uniform'
  | 'FLAP, by block';

/** What of each block is kept: numbers of its first groups and channels, or nothing at all. */
type Kept = readonly [groups: number, channels: number] | 'dropped';

/** Evaluations whose pruned model has that shape. */
export const PRUNED_SHAPES: Readonly<Record<PrunedShape, PlannedEvaluation>> = {
  dense: masked('dense', [
    [2, 56],
    [2, 56],
    [2, 56],
  ]),
  'single weights': { metric: 'wanda', expression: parsePrefix('mul(W, sqrt(X))'), sparsity: half },
  'uniform sizes': structure('wanda-sp'),
  'uniform heads alone': masked('heads', [
    [1, 56],
    [1, 56],
    [1, 56],
  ]),
  'uniform channels alone': masked('channels', [
    [2, 17],
    [2, 17],
    [2, 17],
  ]),
  'sizes by block': masked('sizes', [
    [1, 17],
    [2, 32],
    [1, 56],
  ]),
  'attentions dropped': masked('attentions', [
    [0, 56],
    [2, 56],
    [0, 40],
  ]),
  'MLPs dropped': masked('MLPs', [
    [2, 0],
    [1, 40],
    [2, 0],
  ]),
  'blocks dropped': masked('blocks', [[2, 56], 'dropped', [2, 56]]),
  'FLAP, uniform': structure('flap'),
  'FLAP, by block': structure('flap', { kind: 'global' }),
};

function structure(method: StructureMethod, rates: RateAllocation = { kind: 'uniform' }): PlannedEvaluation {
  return { metric: method, structure: { kind: 'scored', score: { kind: 'method', method }, rates }, sparsity: half };
}

function masked(metric: string, kept: readonly Kept[]): PlannedEvaluation {
  const first = (count: number, of: number): string => packBits(Array.from({ length: of }, (_, i) => i < count));
  const mask = kept.map((block): BlockMask => {
    const [groups, channels] = block === 'dropped' ? [GROUPS, CHANNELS] : block;
    const bits = { groups: first(groups, GROUPS), channels: first(channels, CHANNELS) };
    return block === 'dropped' ? { ...bits, dropped: true } : bits;
  });
  return { metric, structure: { kind: 'mask', mask }, sparsity: half };
}
