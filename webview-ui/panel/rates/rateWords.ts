import { formatShare } from '../../../src/experiment/format.ts';
import { configurationText, droppedText } from '../../../src/search/rates/configuration.ts';
import type { Configuration } from '../../../src/search/rates/configuration.ts';
import type { RateCandidate, RateOperator } from '../../../src/search/rates/events.ts';
import { madeOf, stoppedInShort } from '../common/words.ts';

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
  switch: 'switch',
};

export function outcomeWords({ outcome }: Pick<RateCandidate, 'outcome'>): string {
  switch (outcome.kind) {
    case 'full':
      return 'evaluated';
    case 'stopped':
      return stoppedInShort(outcome);
    case 'shared':
      return outcome.of < 0 ? 'same as a baseline' : `same as #${outcome.of}`;
    case 'invalid':
      return `invalid: ${outcome.detail}`;
  }
}

export function lineageWords({
  operator,
  parents,
  dropped,
}: Pick<RateCandidate, 'operator' | 'parents' | 'dropped'>): string {
  const made = madeOf(RATE_OPERATORS[operator], parents);
  return dropped ? `${made}, ${droppedText(dropped)}` : made;
}

export function ratesWords(configuration: Configuration): string {
  return configurationText(configuration, (rates) => rates.map((rate) => formatShare(rate)).join('  '));
}
