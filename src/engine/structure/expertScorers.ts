import { sequencesPerBatch } from '../forward/modelPrograms.ts';
import type { Step } from '../forward/step.ts';
import type { Parameter } from '../families/family.ts';
import { sizeOf } from '../graph/shape.ts';
import { countInfluenceSteps } from './blockInfluence.ts';
import type { ModelScores } from './componentScores.ts';
import { type ExpertActivation, expertActivations } from './expertActivations.ts';
import { columnScores, WANDA } from './metricScorer.ts';
import type { ComponentScorer, ScoringInputs } from './scorer.ts';

/** What could not be ranked stays: nothing is above it. */
const UNRANKED = Infinity;

/**
 * REAP (Lasby et al. 2025): of an expert the mean, over the tokens that go through it, of the length of its output times the weight that the
 * model gives it there. Their code leaves an expert without tokens at 0, so that it goes first; here it is named and stays.
 */
export function reapScorer(): ComponentScorer {
  return byActivations('reap', ({ tokens, activation }) => (tokens > 0 ? activation / tokens : UNRANKED));
}

/** How many calibration tokens go through an expert. One without any has the lowest score that there is. */
export function frequencyScorer(): ComponentScorer {
  return byActivations('routing-frequency', ({ tokens }) => tokens);
}

/** Wanda’s score |W| · sqrt(X) of an expert’s weights, X over its own tokens: their mean. */
export function expertWandaScorer(): ComponentScorer {
  return {
    ...{ name: 'wanda-experts', rows: ['X'], usesGradient: false, goesBackwards: false },
    countSteps: ({ weights }) => weights.layouts.length,
    async score(model, step) {
      const { layouts } = model.weights;
      const scores: Float32Array[] = [];
      for (const [index, layout] of layouts.entries()) {
        scores.push(await wandaOfBlock(model, index));
        await step(`scoring, block ${index + 1} of ${layouts.length}`);
        if (scores[index]!.length !== (layout.shape.experts ?? 0)) throw new RangeError('an expert without layers');
      }
      return expertScores(model, scores);
    },
  };
}

function byActivations(name: string, scoreOf: (found: ExpertActivation) => number): ComponentScorer {
  return {
    ...{ name, rows: [], usesGradient: false, goesBackwards: false },
    countSteps: (model) => countInfluenceSteps(model, sequencesPerBatch(model.device, model.samples[0]!.length)),
    async score(model: ScoringInputs, step: Step) {
      const found = await expertActivations(model, step);
      return expertScores(
        model,
        found.map((experts) => Float32Array.from(experts, scoreOf)),
      );
    },
  };
}

async function wandaOfBlock(model: ScoringInputs, index: number): Promise<Float32Array> {
  const { weights, statistics } = model;
  const layers = weights.layouts[index]!.parameters.filter(isExpertLayer);
  const sums: { score: number; weights: number }[] = [];
  const block = await weights.block(index);
  try {
    for (const layer of layers) {
      const sum = (sums[layer.expert] ??= { score: 0, weights: 0 });
      sum.weights += sizeOf(layer.shape);
      if (statistics![index]!.get(layer.name)!.tokens === 0) sum.score = UNRANKED;
      else {
        const means = await columnScores(model, WANDA, index, layer, { weight: block[layer.name]! });
        sum.score += means.reduce((total, mean) => total + mean, 0) * layer.shape[0]!;
      }
    }
  } finally {
    weights.done(block);
  }
  return Float32Array.from(sums, ({ score, weights: count }) => score / count);
}

function isExpertLayer(parameter: Parameter): parameter is Parameter & { readonly expert: number } {
  return parameter.linear && parameter.expert !== undefined;
}

function expertScores({ weights }: ScoringInputs, blocks: readonly Float32Array[]): ModelScores {
  const unseen = blocks.flatMap((scores, index) => {
    const names = new Map(weights.layouts[index]!.parameters.map(({ expert, tensor }) => [expert, tensor]));
    return [...scores].flatMap((score, expert) =>
      score === UNRANKED ? [names.get(expert)!.replace(/\.[^.]+\.weight$/, '')] : [],
    );
  });
  return { kind: 'experts', blocks, unseen };
}
