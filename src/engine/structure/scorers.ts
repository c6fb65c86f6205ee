import type { StructureMethod } from '../../experiment/structure.ts';
import type { StructureScore } from '../../experiment/structureSchema.ts';
import { operand } from '../../metric/expression.ts';
import { printInfix } from '../../metric/print.ts';
import { expertWandaScorer, frequencyScorer, reapScorer } from './expertScorers.ts';
import { flapScorer, shortgptScorer, taylorScorer } from './methodScorers.ts';
import { metricScorer, WANDA } from './metricScorer.ts';
import type { ComponentScorer } from './scorer.ts';

/**
 * How each method scores. To add one, write a `ComponentScorer` in a file of its own, and put it here: the pass that collects the
 * statistics it names in `rows`, gradients, allocation, masks, evaluation and reports follow.
 */
const METHODS: Readonly<Record<StructureMethod, () => ComponentScorer>> = {
  'wanda-sp': () => metricScorer('wanda-sp', WANDA),
  magnitude: () => metricScorer('magnitude', operand('W')),
  taylor: taylorScorer,
  flap: flapScorer,
  shortgpt: shortgptScorer,
  reap: reapScorer,
  'wanda-experts': expertWandaScorer,
  'routing-frequency': frequencyScorer,
};

/** @param name of a metric, for messages */
export function scorerOf(score: StructureScore, name?: string): ComponentScorer {
  if (score.kind === 'method') return METHODS[score.method]();
  return metricScorer(name ?? printInfix(score.expression), score.expression);
}
