import { formatShare } from '../../../src/experiment/format.ts';
import type { LlmRole } from '../../../src/search/rates/selfPruner/llm.ts';
import type { RateCandidate, RateOperator } from '../../../src/search/rates/events.ts';

/** How configurations came about, for a person. */
export const RATE_OPERATORS: Readonly<Record<RateOperator, string>> = {
  'llm-initialise': 'language model, first',
  'llm-mutate': 'language model, mutated',
  'llm-cross': 'language model, crossed',
  uniform: 'uniform',
  owl: 'OWL',
  random: 'random',
  spread: 'spread',
  gaussian: 'Gaussian step',
  blend: 'blend',
};

export const ROLES: Readonly<Record<LlmRole, string>> = {
  initialise: 'first configurations',
  mutate: 'mutation',
  cross: 'crossover',
};

export function outcomeWords({ outcome }: Pick<RateCandidate, 'outcome'>): string {
  switch (outcome.kind) {
    case 'full':
      return 'evaluated';
    case 'shared':
      return outcome.of < 0 ? 'same as a baseline' : `same as #${outcome.of}`;
    case 'invalid':
      return `invalid: ${outcome.detail}`;
  }
}

export function lineageWords({ operator, parents }: Pick<RateCandidate, 'operator' | 'parents'>): string {
  const made = RATE_OPERATORS[operator];
  return parents.length === 0 ? made : `${made} of ${parents.map((parent) => `#${parent}`).join(' and ')}`;
}

export function ratesWords(rates: readonly number[]): string {
  return rates.map((rate) => formatShare(rate)).join('  ');
}

/** Perplexity on the fitness text; undefined for rates that wreck the model. */
export function perplexityOf({ outcome }: RateCandidate): number | undefined {
  return outcome.kind === 'invalid' ? undefined : outcome.perplexity;
}
