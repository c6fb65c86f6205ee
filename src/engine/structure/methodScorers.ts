import { operand, operation } from '../../metric/expression.ts';
import { componentsOf } from '../models/components.ts';
import { countGradientSteps } from '../gradient/collectGradients.ts';
import type { BlockFill } from '../forward/maskInputs.ts';
import { sequencesPerBatch } from '../forward/modelPrograms.ts';
import { blockInfluence, countInfluenceSteps } from './blockInfluence.ts';
import type { Parts } from '../families/family.ts';
import { metricScorer, readers } from './metricScorer.ts';
import type { ComponentScorer, ScoringInputs } from './scorer.ts';
import { taylorScores } from './taylorScores.ts';

/** LLM-Pruner, see {@link taylorScores}. */
export function taylorScorer(): ComponentScorer {
  return {
    name: 'taylor',
    rows: [],
    usesGradient: false,
    goesBackwards: true,
    countSteps: countGradientSteps,
    async score(model, step) {
      const { config } = model.checkpoint;
      const components = model.weights.layouts.map((_, index) => componentsOf(config, index));
      return { kind: 'components', blocks: await taylorScores(model, components, step) };
    },
  };
}

/** ShortGPT, see {@link blockInfluence}. */
export function shortgptScorer(): ComponentScorer {
  return {
    name: 'shortgpt',
    rows: [],
    usesGradient: false,
    goesBackwards: false,
    countSteps: (model) => countInfluenceSteps(model, sequencesPerBatch(model.device, model.samples[0]!.length)),
    score: async (model, step) => ({ kind: 'blocks', influence: await blockInfluence(model, step) }),
  };
}

/**
 * FLAP (An et al. 2024): what fluctuates least is what a constant stands in for best, W² · Var(x); the mean of what is removed stays as
 * a bias.
 */
export function flapScorer(): ComponentScorer {
  const fluctuation = metricScorer('flap', operation('mul', operation('sqr', operand('W')), operand('Xvar')));
  return {
    ...fluctuation,
    rows: ['Xvar', 'Xmean'],
    async score(model, step) {
      const scores = await fluctuation.score(model, step);
      return { ...scores, fills: model.weights.layouts.map((_, index) => meansOf(model, index)) };
    },
  };
}

/** Means over the calibration tokens of what the output projections of a block read. */
function meansOf({ weights, statistics }: ScoringInputs, index: number): BlockFill {
  const found = readers(weights.layouts[index]!);
  const means = (of: Parts['of']): Float32Array => {
    const reader = found.find((coupling) => coupling.parts.of === of);
    return reader ? statistics![index]!.get(reader.name)!.row('Xmean') : new Float32Array(0);
  };
  return { attention: means('groups'), channels: means('channels') };
}
