import type { Expression } from '../metric/expression.ts';
import type { ModelMask } from './components.ts';

/** How whole components are chosen. Each method has one row, which drives flags, `.prune` values, completion and hover. */
export const STRUCTURE_METHODS = {
  'wanda-sp': {
    formula: 'mean over rows of |W| · sqrt(X)',
    removes: 'components',
    documentation:
      'Wanda’s score (An et al. 2024): of a channel the mean over the rows of its column of the down projection, of a head that of its columns of the output projection, summed; a group of heads has the mean of its heads.',
  },
  magnitude: {
    formula: 'mean over rows of |W|',
    removes: 'components',
    documentation: 'Magnitude of the weights, gathered as Wanda-sp does.',
  },
  taylor: {
    formula: '|Σ g · w|',
    removes: 'components',
    documentation:
      'First-order Taylor (LLM-Pruner, Ma et al. 2023): what the loss loses to first order without the component, summed over all weights that go with it.',
  },
  flap: {
    formula: 'mean over rows of W² · Var(x)',
    removes: 'components',
    documentation:
      'FLAP (An et al. 2024): how much what the component adds fluctuates; its mean is kept as a bias. Scores are standardised over the blocks where the allocation is global.',
  },
  shortgpt: {
    formula: '1 − cos(x_in, x_out)',
    removes: 'blocks',
    documentation:
      'Block influence (ShortGPT, Men et al. 2024): whole blocks whose output is most like their input go, as many as come closest to the rate.',
  },
} as const satisfies Record<string, StructureMethodRow>;

export interface StructureMethodRow {
  readonly formula: string;
  readonly removes: 'components' | 'blocks';
  readonly documentation: string;
}

export type StructureMethod = keyof typeof STRUCTURE_METHODS;
export const STRUCTURE_METHOD_NAMES = Object.keys(STRUCTURE_METHODS) as readonly StructureMethod[];

/** What components are ranked by: a published method, or any metric, gathered over rows and heads as Wanda-sp does. */
export type StructureScore =
  | { readonly kind: 'method'; readonly method: StructureMethod }
  | { readonly kind: 'metric'; readonly expression: Expression };

/** How much of each block goes. The mean over the blocks is the sparsity, except where rates are given. */
export type RateAllocation =
  | { readonly kind: 'uniform' }
  /** Outlier-weighed (Yin et al. 2024): more is kept where more scores |w|·sqrt(X) exceed `multiple` times their mean. */
  | { readonly kind: 'owl'; readonly multiple: number; readonly spread: number }
  /** One threshold for the whole model on scores standardised within each block (FLAP's adaptive structure). */
  | { readonly kind: 'global' }
  | { readonly kind: 'given'; readonly rates: readonly number[] };

/** The settings that its authors use: M = 5, λ = 0.08. */
export const OWL: Extract<RateAllocation, { kind: 'owl' }> = { kind: 'owl', multiple: 5, spread: 0.08 };
export const UNIFORM: RateAllocation = { kind: 'uniform' };
export const ALLOCATIONS = ['uniform', 'owl', 'global'] as const;
export type AllocationName = (typeof ALLOCATIONS)[number] | 'given';

/** Whole components of a model that go. */
export type Structure =
  | { readonly kind: 'scored'; readonly score: StructureScore; readonly rates: RateAllocation }
  /** What a search has found. */
  | { readonly kind: 'mask'; readonly mask: ModelMask };

/** What structural pruning really removed. */
export interface StructureReport {
  readonly method: StructureMethod | 'metric' | 'mask';
  readonly allocation: AllocationName | 'mask';
  readonly blocks: readonly BlockReport[];
  /** Of the whole model, embeddings and head included, before and after; biases and norms included. */
  readonly parameters: { readonly dense: number; readonly pruned: number };
}

export interface BlockReport {
  /** Share of the block's weights that was asked for; absent for a mask. */
  readonly rate?: number;
  /** Share that went: whole components only come near. */
  readonly removed: number;
  readonly groups: { readonly kept: number; readonly of: number };
  readonly channels: { readonly kept: number; readonly of: number };
  readonly groupBits: string;
  readonly channelBits: string;
  readonly dropped?: true;
}
