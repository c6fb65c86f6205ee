import { ALLOCATIONS } from '../../experiment/structure.ts';

/** The words of structural pruning beside the methods, with what hover and completion say of them. */

/** What may stand around what is pruned with, as a function of it and of the rates of the blocks. */
export const CLAUSES = {
  structure: {
    signature: 'structure(score, rates = uniform)',
    example: 'structure(wanda-sp, owl)',
    parameters: [
      {
        name: 'score',
        text: 'score',
        documentation: 'A method such as `wanda-sp`, a metric of the file, or an expression.',
      },
      { name: 'rates', text: 'rates = uniform', documentation: 'How much of each block goes.' },
    ],
    documentation:
      'Whole heads (with grouped-query attention the groups that share a key-value head) and channels are removed, by a published method or by any metric: its scores are averaged over the rows of the layer that reads the component, and summed over a head. Scores are those of the dense model.',
  },
  weights: {
    signature: 'weights(metric, rates = uniform)',
    example: 'weights(wanda, owl)',
    parameters: [
      { name: 'metric', text: 'metric', documentation: 'A metric of the file, or an expression.' },
      { name: 'rates', text: 'rates = uniform', documentation: 'How much of each block goes.' },
    ],
    documentation: 'Single weights are removed, by a metric, where not every block loses the same share.',
  },
} as const satisfies Record<string, ClauseRow>;

interface ClauseRow {
  readonly signature: string;
  readonly example: string;
  readonly parameters: readonly { readonly name: string; readonly text: string; readonly documentation: string }[];
  readonly documentation: string;
}

export type ClauseName = keyof typeof CLAUSES;

export function isClauseName(text: string): text is ClauseName {
  return Object.hasOwn(CLAUSES, text);
}

export type AllocationWord = (typeof ALLOCATIONS)[number];

export const ALLOCATION_WORDS: Readonly<
  Record<AllocationWord, { readonly example: string; readonly documentation: string }>
> = {
  uniform: { example: 'structure(wanda-sp, uniform)', documentation: 'Every block loses the same share.' },
  owl: {
    example: 'owl(multiple: 5, spread: 0.08)',
    documentation:
      'OWL (Yin et al. 2024): blocks with more outliers keep more. An outlier is a score `W * sqrt(X)` above `multiple` times the block’s mean; the rates lie at most `spread` around the sparsity.',
  },
  global: {
    example: 'structure(flap, global)',
    documentation:
      'One threshold for the whole model, on scores that are standardised within each block (FLAP, An et al. 2024).',
  },
};

export function isAllocationWord(text: string): text is AllocationWord {
  return (ALLOCATIONS as readonly string[]).includes(text);
}
