import * as z from 'zod';
import { amountSchema, countSchema, shareSchema, textSchema } from '../../base/scalarSchemas.ts';
import { weightSparsitySchema } from '../../experiment/sparsitySchema.ts';
import { settingsSchemaOf } from '../../experiment/settingSchema.ts';
import { OPERANDS } from '../../metric/operands.ts';
import type { OperandName } from '../../metric/operands.ts';
import { OPERATIONS } from '../../metric/operations.ts';
import type { OperationName } from '../../metric/operations.ts';
import { namedMetrics, planFields } from '../lifecycle/planSchema.ts';
import {
  baselineEvent,
  evaluatedOutcomes,
  finalistEvent,
  finishedEvent,
  generationEvent,
  invalidSchema,
  measuredEvent,
  openingSchema,
  rankingSchema,
  runEvents,
  sharedOutcome,
} from '../lifecycle/schema.ts';
import { weightUpdateSchema } from '../../experiment/updateSchema.ts';
import { llmEvents } from '../llm/schema.ts';
import { LLM_SETTINGS } from '../llm/settings.ts';
import { proposalCountsSchema, proposalPromptsSchema, proposedEvent } from './proposals/schema.ts';
import { METRIC_SEARCH_SETTINGS, takesProposals } from './settings.ts';
import { metricTextSchema } from '../../experiment/expressionSchema.ts';

/** Everything that decides what a search for metrics finds. `settings.calibrate` is that of the finalists: candidates are ranked one-shot. */
export const metricPlanSchema = z
  .strictObject({
    kind: z.literal('metrics'),
    ...planFields,
    sparsity: weightSparsitySchema,
    /** Operations and terminals of the trees. */
    operations: z.array(z.enum(Object.keys(OPERATIONS) as OperationName[])).max(64),
    operands: z.array(z.enum(Object.keys(OPERANDS) as OperandName[])).max(64),
    /** Metrics that the first generation starts from ("Evolve from here"); the rest of it is random. */
    seeds: namedMetrics,
    /** Metrics that the search is compared with; they never enter the population. */
    baselines: namedMetrics,
    /** What follows each candidate’s mask before its fitness is taken. */
    update: weightUpdateSchema.exactOptional(),
    search: settingsSchemaOf(METRIC_SEARCH_SETTINGS),
    /** The language model that may propose metrics, and what it is asked with. */
    llm: settingsSchemaOf(LLM_SETTINGS).exactOptional(),
    prompts: proposalPromptsSchema.exactOptional(),
  })
  .refine(({ llm, prompts, search }) => {
    const takes = takesProposals(search);
    return (llm !== undefined) === takes && (prompts !== undefined) === takes;
  }, 'expected the settings of a language model and prompts where one proposes metrics, and nowhere else');

export const probeOutcomeSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('ranks'),
    /** Hash of the masks that the metric makes of the probe's layers: equal where two metrics remove the same weights. */
    fingerprint: textSchema,
    /** Whether the probe is every prunable layer, so that equal fingerprints are equal models. */
    whole: z.boolean(),
    /** Where another metric was named to compare with: share of the probed weights that one of the two removes and the other keeps. */
    changed: shareSchema.exactOptional(),
  }),
  invalidSchema,
]);

/** Over the whole search so far. */
export const metricCountsSchema = z.strictObject({
  candidates: countSchema,
  invalid: countSchema,
  /** Candidates that shared another's evaluation. */
  duplicates: countSchema,
  stoppedEarly: countSchema,
  fullEvaluations: countSchema,
  /** Work that was done, in units of an evaluation of the whole fitness text. */
  evaluations: amountSchema,
  /** What was asked of the language model, where one proposes. */
  llm: proposalCountsSchema.exactOptional(),
});

const outcome = z.discriminatedUnion('kind', [
  ...evaluatedOutcomes,
  /** The other one ranks the same: by algebra, or by the masks of the probe. */
  sharedOutcome.safeExtend({ by: z.enum(['canonical', 'mask']) }),
  invalidSchema,
]);

/** A candidate with what became of it; exactly one for each id. */
const candidateEvent = z.strictObject({
  kind: z.literal('candidate'),
  id: countSchema,
  generation: countSchema,
  /** How it came about. */
  operator: z.enum([
    'seed',
    'grow',
    'full',
    'crossover',
    'mutate-operation',
    'mutate-operand',
    'mutate-subtree',
    'insert',
    'hoist',
    'tune',
    'proposed',
  ]),
  /** Ids of the candidates that it was made of. */
  parents: z.array(countSchema).max(8),
  expression: metricTextSchema,
  /** Operations and operands. */
  size: countSchema,
  depth: countSchema,
  /** The request to a language model whose reply it stood in. */
  call: countSchema.exactOptional(),
  outcome,
});

/** What happens in a search for metrics, in order. The journal keeps these, the panel and the command line fold them. */
export const metricEventSchema = z.discriminatedUnion('kind', [
  openingSchema.extend({ kind: z.literal('opened') }),
  baselineEvent.extend({ expression: metricTextSchema }),
  /** What the check of a candidate before any evaluation gave; a search that goes on must ask the same. */
  z.strictObject({
    kind: z.literal('probed'),
    id: countSchema,
    /** Counts the forms that were tried of this candidate, of which one became it; absent for the candidate itself. */
    trial: countSchema.exactOptional(),
    expression: metricTextSchema,
    probe: probeOutcomeSchema,
    seconds: amountSchema,
  }),
  measuredEvent,
  /** So many share the work of a search without generations from here on: what it asks next depends on it. */
  z.strictObject({ kind: z.literal('workers'), count: z.int().min(1).max(1_000_000) }),
  candidateEvent,
  generationEvent.extend({ counts: metricCountsSchema }),
  ...llmEvents,
  proposedEvent,
  finalistEvent.extend({ expression: metricTextSchema }),
  finishedEvent.extend({ counts: metricCountsSchema, best: rankingSchema }),
  ...runEvents,
]);
