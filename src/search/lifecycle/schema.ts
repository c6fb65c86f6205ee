import * as z from 'zod';
import { amountSchema, countSchema, shareSchema, textSchema } from '../../base/scalarSchemas.ts';
import { errorSchema } from '../../base/errorSchema.ts';
import { modelCostsSchema } from '../../experiment/costSchema.ts';
import { perplexityResultSchema } from '../../experiment/resultSchema.ts';
import { componentsSchema, MAX_BLOCKS } from '../../experiment/structureSchema.ts';

/**
 * What all searches say in the course of a run, as it comes from outside (another process, a journal on disk), checked on arrival. The types
 * of events follow from these. Expressions are in prefix form (`mul(W, sqrt(X))`), losses in nats per token, or per document where `tasks` are the objective.
 */

/** Most baselines, finalists and metrics that a plan names. */
export const MAX_NAMED = 10_000;

export const positiveSchema = z.number().positive();
/** Ids count from 0 in the order of proposal; the plan's baselines have −1, −2, … in its order. */
export const askedIdSchema = z.int().min(-MAX_NAMED);

/** The model is loaded: what its dense form does on the fitness text. */
export const openingSchema = z.strictObject({
  /** What the fitness is the mean of: evaluation blocks of its text, or documents of the tasks. */
  blocks: countSchema,
  /** What losses are, where they are not cross-entropies with the text: KL(dense ‖ candidate), or those of tasks. */
  objective: z.enum(['kl', 'tasks']).exactOptional(),
  /** Dense mean loss of each block, in the order in which rungs visit them; 0 where losses are divergences, weighted where tasks are asked. */
  denseLosses: z.array(z.number()).max(10_000_000),
  densePerplexity: positiveSchema,
  /** Where tasks are the objective: the mean of the losses, and the mean of the accuracies. */
  denseTaskLoss: z.number().exactOptional(),
  denseAccuracy: shareSchema.exactOptional(),
  /** Covers model, texts, calibration, sparsity, precision, device, versions: measurements under one are comparable. */
  fingerprint: textSchema,
  device: textSchema,
  parameters: countSchema,
  architecture: textSchema,
});

/** The same where whole components or the rates of blocks are searched. */
export const componentsOpeningSchema = openingSchema.extend({
  /** Of each block. */
  components: z.array(componentsSchema).max(MAX_BLOCKS),
  /** Tokens of the calibration text, which the batches of a search for masks are cut from. */
  calibrationTokens: countSchema,
  /** What models cost by what their blocks keep, where the plan has a budget: what was measured when the run began holds for all of it. */
  costs: modelCostsSchema.exactOptional(),
  /** OWL's rates at the plan's sparsity; of a search for rates. */
  owl: z.array(shareSchema).max(MAX_BLOCKS).exactOptional(),
});

export const invalidSchema = z.strictObject({
  kind: z.literal('invalid'),
  reason: z.enum(['no-operand', 'constant', 'not-finite', 'too-large', 'quarantined']),
  detail: textSchema,
});

export const measureOutcomeSchema = z.discriminatedUnion('kind', [
  /** `loss` is the mean over these blocks; of documents of tasks `right` is the weight of those with a right answer, together. */
  z.strictObject({
    kind: z.literal('loss'),
    blocks: countSchema,
    loss: z.number(),
    right: amountSchema.exactOptional(),
  }),
  invalidSchema,
]);

/** The loss of one candidate on one rung: so many more blocks of the fitness text. */
export const measuredEvent = z.strictObject({
  kind: z.literal('measured'),
  id: askedIdSchema,
  rung: countSchema,
  measure: measureOutcomeSchema,
  seconds: amountSchema,
});

/** The fitness, named by what it is: one of them. */
export const fitnessFields = {
  perplexity: positiveSchema.exactOptional(),
  /** Mean KL(dense ‖ candidate), in nats a token; 0 but for rounding where nothing is pruned. */
  kl: z.number().exactOptional(),
  /** Mean over the tasks of the cross-entropy of their choices with the right ones, in nats a document. */
  taskLoss: z.number().exactOptional(),
  /** Mean of the accuracies on the tasks, beside a loss of all their documents. */
  accuracy: shareSchema.exactOptional(),
};
const hasFitness = ({ perplexity, kl, taskLoss }: Partial<Record<'perplexity' | 'kl' | 'taskLoss', number>>): boolean =>
  [perplexity, kl, taskLoss].filter((fitness) => fitness !== undefined).length === 1;
const ONE_FITNESS = 'expected a perplexity, a kl or a taskLoss';

/**
 * What becomes of a candidate, as far as all searches that evolve a population tell the same. The fitness is always on the scale of the
 * whole text: where blocks are missing, the dense loss of the text plus the excess on the blocks seen.
 */
export const evaluatedOutcomes = [
  z.strictObject({ kind: z.literal('full'), ...fitnessFields }).refine(hasFitness, ONE_FITNESS),
  /** After this rung, when so many blocks were seen. */
  z
    .strictObject({ kind: z.literal('stopped'), rung: countSchema, blocks: countSchema, ...fitnessFields })
    .refine(hasFitness, ONE_FITNESS),
] as const;
/** It shares the evaluation of candidate `of`. */
export const sharedOutcome = z
  .strictObject({ kind: z.literal('shared'), of: countSchema, ...fitnessFields })
  .refine(hasFitness, ONE_FITNESS);

/** A baseline on the fitness text, measured as candidates are; without a fitness where it has none. */
export const baselineEvent = z.strictObject({
  kind: z.literal('baseline'),
  name: textSchema,
  ...fitnessFields,
  error: errorSchema.exactOptional(),
});

/** A generation is through. */
export const generationEvent = z.strictObject({
  kind: z.literal('generation'),
  generation: countSchema,
  /** Fitness of this generation's valid candidates, their mean that of the losses; null where it has none. */
  best: z.number().nullable(),
  mean: z.number().nullable(),
  worst: z.number().nullable(),
  /** Best in full so far, over all generations. */
  bestSoFar: z
    .strictObject({ id: countSchema, ...fitnessFields })
    .refine(hasFitness, ONE_FITNESS)
    .nullable(),
});

/** A finalist or a baseline, evaluated at the end as an evaluation outside a search would. */
export const finalistEvent = z.strictObject({
  kind: z.literal('finalist'),
  /** The candidate's; undefined for a baseline, and for what a search for masks comes to. */
  id: countSchema.exactOptional(),
  name: textSchema,
  /** On the fitness text. */
  result: perplexityResultSchema.exactOptional(),
  /** On the text that the search never saw. */
  test: perplexityResultSchema.exactOptional(),
  error: errorSchema.exactOptional(),
});

export const finishedEvent = z.strictObject({ kind: z.literal('finished') });

/** Ids, best first; by the finalists' perplexity where there is one. */
export const rankingSchema = z.array(countSchema).max(MAX_NAMED);

/** What every run says, whatever it searches for. */
export const runEvents = [
  z.strictObject({ kind: z.literal('resumed') }),
  z.strictObject({ kind: z.literal('paused') }),
  z.strictObject({ kind: z.literal('failed'), error: errorSchema }),
  /** A candidate that ended two workers: it is not tried again. */
  z.strictObject({ kind: z.literal('quarantined'), id: countSchema, expression: textSchema, error: errorSchema }),
] as const;
