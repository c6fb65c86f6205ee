import { formatChange, formatPerplexity } from '../../../src/experiment/format.ts';
import type { MetricCandidate, CandidateOutcome, VariationOperator } from '../../../src/search/metrics/events.ts';
import { printSparsity } from '../../../src/experiment/sparsity.ts';
import type { Sparsity } from '../../../src/experiment/sparsitySchema.ts';
import type { RunActivity } from '../../../src/view/panelMessages.ts';
import { formulaOf } from '../metrics/formulas.ts';
import type { InvalidReason } from '../../../src/search/lifecycle/events.ts';

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

/** A few words for a table's cell. */
export function outcomeInShort(outcome: CandidateOutcome): string {
  switch (outcome.kind) {
    case 'full':
      return 'in full';
    case 'stopped':
      return `stopped after ${outcome.blocks} blocks`;
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
      return `Evaluated on all ${blocks} blocks of the text.`;
    case 'stopped':
      return `Stopped early: after ${outcome.blocks} of ${blocks} blocks (rung ${outcome.rung + 1}) others were better. Its perplexity is extrapolated from those blocks.`;
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
  if (parents.length === 0) return OPERATORS[operator];
  return `${OPERATORS[operator]} of ${parents.map((parent) => `#${parent}`).join(' and ')}`;
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

/** Last part of a path, with either kind of separator. */
export function baseName(path: string): string {
  return path.replace(/[/\\]+$/, '').replace(/^.*[/\\]/s, '');
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
