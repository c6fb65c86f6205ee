import type { ComponentsOpening, MeasureOutcome } from '../lifecycle/events.ts';
import { perplexityOf } from '../lifecycle/outcome.ts';
import type { Rung } from '../lifecycle/rung.ts';
import { statisticsOf } from '../lifecycle/statisticsOf.ts';
import type { Configuration } from './configuration.ts';
import type { RateCandidate, RateGeneration } from './events.ts';

/** A configuration that has a finite loss. */
export interface MeasuredRates extends Configuration {
  /** Of a baseline below 0. */
  readonly id: number;
  /** Nats per token on the whole fitness text. */
  readonly loss: number;
  readonly perplexity: number;
}

/** All blocks of the fitness text. */
export function wholeText({ blocks }: ComponentsOpening): Rung {
  return { index: 0, begin: 0, end: blocks };
}

/** @returns the loss, or why there is none */
export function readMeasure(answer: MeasureOutcome): { readonly loss: number; readonly perplexity: number } | string {
  if (answer.kind === 'invalid') return answer.detail;
  const perplexity = Math.exp(answer.loss);
  return Number.isFinite(perplexity) ? { loss: answer.loss, perplexity } : `its loss is ${answer.loss}`;
}

/** Of the valid configurations of a generation. */
export function statisticsOfRates(
  candidates: readonly RateCandidate[],
): Pick<RateGeneration, 'best' | 'mean' | 'worst'> {
  const perplexities = candidates.flatMap((each) => perplexityOf(each) ?? []).sort((a, b) => a - b);
  return statisticsOf(perplexities.map(Math.log), perplexities);
}
