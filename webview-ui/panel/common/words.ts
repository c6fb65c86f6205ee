import { formatChange, formatPerplexity, perplexityDigits } from '../../../src/experiment/format.ts';
import type { MetricCandidate, CandidateOutcome, VariationOperator } from '../../../src/search/metrics/events.ts';
import { printSparsity } from '../../../src/experiment/sparsity.ts';
import type { Sparsity } from '../../../src/experiment/sparsitySchema.ts';
import type { RunActivity } from '../../../src/view/panelMessages.ts';
import { formulaOf } from '../metrics/formulas.ts';
import type { InvalidReason, Outcome, StoppedOutcome } from '../../../src/search/lifecycle/events.ts';
import { objectiveIn } from '../../../src/search/lifecycle/objective.ts';
import type { AnyFitness } from '../../../src/search/lifecycle/objective.ts';
import { isComplete, fitnessOf } from '../../../src/search/lifecycle/outcome.ts';
import type { PopulationCandidate } from '../../../src/search/lifecycle/population.ts';

/** What things are called for a person. */
export const OPERATORS: Readonly<Record<VariationOperator, string>> = {
  seed: 'from the file',
  grow: 'random, grown',
  full: 'random, full',
  crossover: 'crossover',
  'mutate-operation': 'other operation',
  'mutate-operand': 'other operand',
  'mutate-subtree': 'new subtree',
  insert: 'node inserted',
  hoist: 'subtree alone',
  tune: 'constant tuned',
  proposed: 'proposed',
};

const REASONS: Readonly<Record<InvalidReason, string>> = {
  'no-operand': 'no operand in it',
  constant: 'gives every weight the same score',
  'not-finite': 'scores are not finite',
  'too-large': 'larger than the search allows',
  quarantined: 'ended two worker processes, not tried again',
};

export const STATES: Readonly<Record<RunActivity['kind'], string>> = {
  starting: 'starting',
  running: 'running',
  pausing: 'pausing',
  paused: 'paused',
  interrupted: 'stopped before its end',
  finished: 'finished',
  failed: 'failed',
  elsewhere: 'running in another window or command line',
};

/** What those that ended alike are called where one chooses among them. */
export const OUTCOMES: Readonly<Record<Outcome['kind'], string>> = {
  full: 'in full',
  stopped: 'stopped early',
  shared: 'same ranking as another',
  invalid: 'invalid',
};

/** As many digits as it takes to tell the best of those that were evaluated apart. */
export function digitsOf(
  candidates: readonly PopulationCandidate[],
  byId: ReadonlyMap<number, PopulationCandidate> = new Map(),
): number {
  return perplexityDigits(candidates.filter((each) => isComplete(each, byId)).flatMap((each) => fitnessOf(each) ?? []));
}

/** An estimate says that it is one, without digits that would not be true; empty for a candidate that cannot rank. */
export function fitnessInShort(
  candidate: Pick<PopulationCandidate, 'outcome'>,
  byId: ReadonlyMap<number, PopulationCandidate>,
  digits?: number,
): string {
  const fitness = fitnessOf(candidate);
  if (fitness === undefined) return '';
  return isComplete(candidate, byId) ? formatPerplexity(fitness, digits) : `≈ ${formatPerplexity(fitness)}`;
}

export function stoppedInShort(outcome: StoppedOutcome): string {
  return `stopped after ${outcome.blocks} ${partsOf(outcome)}`;
}

/** @param all blocks of the whole text, or all documents */
export function stoppedInFull(outcome: StoppedOutcome, all: number): string {
  const parts = partsOf(outcome);
  return `Stopped early: after ${outcome.blocks} of ${all} ${parts} (rung ${outcome.rung + 1}) others were better. Its fitness is extrapolated from those ${parts}.`;
}

/** What a fitness is a mean over. */
function partsOf(measured: AnyFitness): 'blocks' | 'documents' {
  return objectiveIn(measured) === 'tasks' ? 'documents' : 'blocks';
}

/** A few words for a table's cell. */
export function outcomeInShort(outcome: CandidateOutcome): string {
  switch (outcome.kind) {
    case 'full':
      return 'in full';
    case 'stopped':
      return stoppedInShort(outcome);
    case 'shared':
      return `same ranking as #${outcome.of}`;
    case 'invalid':
      return `invalid: ${REASONS[outcome.reason]}`;
  }
}

/** The whole story, in sentences. */
export function outcomeInFull(
  outcome: CandidateOutcome,
  blocks: number,
  byId: ReadonlyMap<number, MetricCandidate>,
): string {
  switch (outcome.kind) {
    case 'full':
      return objectiveIn(outcome) === 'tasks'
        ? `Evaluated on all ${blocks} documents of the tasks.`
        : `Evaluated on all ${blocks} blocks of the text.`;
    case 'stopped':
      return stoppedInFull(outcome, blocks);
    case 'shared': {
      const other = byId.get(outcome.of);
      const which = `#${outcome.of}${other ? `, ${formulaOf(other)}` : ''}`;
      return outcome.by === 'canonical'
        ? `Same ranking as ${which}: by algebra both put the weights into the same order, so that one evaluation serves both.`
        : `Same ranking as ${which}: both remove the same weights from the probed rows, so that one evaluation serves both.`;
    }
    case 'invalid':
      return `Not evaluated: ${REASONS[outcome.reason]} (${outcome.detail}).`;
  }
}

export function lineage({ operator, parents }: Pick<MetricCandidate, 'operator' | 'parents'>): string {
  return madeOf(OPERATORS[operator], parents);
}

/** `crossover of #0 and #1`. */
export function madeOf(made: string, parents: readonly number[]): string {
  return parents.length === 0 ? made : `${made} of ${parents.map((parent) => `#${parent}`).join(' and ')}`;
}

export function sparsityWords(sparsity: Sparsity): string {
  return printSparsity(sparsity).replace('%', ' %');
}

/** `151.6 (+5.8 % against dense, 143.3)`: a number never stands alone. */
export function against(perplexity: number, name: string, reference: number | undefined): string {
  if (reference === undefined) return formatPerplexity(perplexity);
  return `${formatPerplexity(perplexity)} (${difference(perplexity, name, reference)})`;
}

export function difference(perplexity: number, name: string, reference: number): string {
  return `${formatChange(perplexity, reference)} against ${name}, ${formatPerplexity(reference)}`;
}

export function plural(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}

/** Seconds ahead, roughly: nobody knows them better. */
export function roughly(seconds: number): string {
  if (seconds < 45) return `${Math.max(5, Math.round(seconds / 5) * 5)} s`;
  if (seconds < 90 * 60) return `${Math.max(1, Math.round(seconds / 60))} min`;
  return `${(seconds / 3600).toFixed(1)} h`;
}
