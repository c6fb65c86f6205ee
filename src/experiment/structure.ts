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
    keepsMeans: true,
  },
  shortgpt: {
    formula: '1 − cos(x_in, x_out)',
    removes: 'blocks',
    documentation:
      'Block influence (ShortGPT, Men et al. 2024): whole blocks whose output is most like their input go, as many as come closest to the rate.',
  },
  reap: {
    formula: 'mean over its tokens of weight · ‖output‖',
    removes: 'experts',
    documentation:
      'REAP (Lasby et al. 2025): experts of a mixture whose outputs, times the weights that the router gives them, are shortest on average over the tokens that go through them.',
  },
  'wanda-experts': {
    formula: 'mean of |W| · sqrt(X)',
    removes: 'experts',
    documentation: 'Wanda’s score of an expert’s weights, their inputs those of its own tokens: the mean of them all.',
  },
  'routing-frequency': {
    formula: 'tokens that go through it',
    removes: 'experts',
    documentation: 'Experts of a mixture that the router chooses for the fewest calibration tokens.',
  },
} as const satisfies Record<string, StructureMethodRow>;

export interface StructureMethodRow {
  readonly formula: string;
  readonly removes: Removes;
  readonly documentation: string;
  /** Whether the means of what goes become biases. */
  readonly keepsMeans?: true;
}

/** Heads and channels, whole blocks, or experts of a mixture. */
export type Removes = 'components' | 'blocks' | 'experts';

/** As messages name them. */
export const REMOVED: Readonly<Record<Removes, string>> = {
  components: 'whole heads and channels',
  blocks: 'whole blocks',
  experts: 'whole experts',
};

export type StructureMethod = keyof typeof STRUCTURE_METHODS;
export const STRUCTURE_METHOD_NAMES = Object.keys(STRUCTURE_METHODS) as readonly StructureMethod[];

/** The settings that its authors use: M = 5, λ = 0.08. */
export const OWL = { kind: 'owl', multiple: 5, spread: 0.08 } as const;
export const UNIFORM = { kind: 'uniform' } as const;
export const ALLOCATIONS = ['uniform', 'owl', 'global'] as const;
