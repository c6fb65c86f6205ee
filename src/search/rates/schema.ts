import * as z from 'zod';
import { amountSchema, countSchema, shareSchema, nameSchema, textSchema } from '../../base/scalarSchemas.ts';
import { expressionSchema } from '../../experiment/expressionSchema.ts';
import { structureScoreSchema, MAX_BLOCKS, ratesSchema } from '../../experiment/structureSchema.ts';
import { componentSparsitySchema } from '../../experiment/sparsitySchema.ts';
import { settingsSchemaOf } from '../../experiment/settingSchema.ts';
import { updateSchema } from '../../experiment/updateSchema.ts';
import { UPDATES } from '../../experiment/updates.ts';
import { planFields } from '../lifecycle/planSchema.ts';
import {
  askedIdSchema,
  baselineEvent,
  componentsOpeningSchema,
  evaluatedOutcomes,
  finalistEvent,
  finishedEvent,
  generationEvent,
  MAX_NAMED,
  measuredEvent,
  rankingSchema,
  runEvents,
  sharedOutcome,
} from '../lifecycle/schema.ts';
import { EVOPRESS_SETTINGS } from './evopress/settings.ts';
import { LLM_SETTINGS } from '../llm/settings.ts';
import { listCounts, promptTemplatesSchema } from './selfPruner/schema.ts';
import { llmCountsSchema, llmEvents } from '../llm/schema.ts';
import { SELF_PRUNER_SETTINGS } from './selfPruner/settings.ts';

/** What the rates say how much to remove of. */
export const rateTargetSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('structure'), name: nameSchema, score: structureScoreSchema }),
  z.strictObject({ kind: z.literal('weights'), metric: nameSchema, expression: expressionSchema }),
]);

export const namedRatesSchema = z.strictObject({ name: nameSchema, rates: ratesSchema });

/** Everything that decides what a search for layer-wise pruning rates finds. */
export const ratePlanSchema = z
  .strictObject({
    kind: z.literal('rates'),
    ...planFields,
    /** Mean of the rates, or what models with them may cost. */
    sparsity: componentSparsitySchema,
    target: rateTargetSchema,
    /** Rates that the search is compared with. */
    baselines: z.array(namedRatesSchema).max(MAX_NAMED),
    /** What follows each candidate’s removal before its fitness is taken. */
    update: updateSchema.exactOptional(),
    search: z.discriminatedUnion('method', [
      settingsSchemaOf(SELF_PRUNER_SETTINGS),
      settingsSchemaOf(EVOPRESS_SETTINGS),
    ]),
    /** The language model that Self-Pruner may ask, and how. */
    llm: settingsSchemaOf(LLM_SETTINGS).exactOptional(),
    prompts: promptTemplatesSchema.exactOptional(),
  })
  .refine((plan) => {
    const { method }: { readonly method: string } = plan.search;
    const asks = method === 'self-pruner';
    return (plan.llm !== undefined) === asks && (plan.prompts !== undefined) === asks;
  }, 'expected the settings of a language model and prompts for self-pruner, and for no other method')
  .refine(({ target, update }) => !update || UPDATES[update.method].of === UPDATED[target.kind], {
    error: 'expected an update of what the target removes',
  })
  .refine(({ target, sparsity }) => target.kind === 'structure' || sparsity.kind !== 'budget', {
    error: 'expected a share of the weights, where single ones go',
  });

const UPDATED = { structure: 'structures', weights: 'weights' } as const;

/** Over the whole search so far. */
export const rateCountsSchema = z.strictObject({
  candidates: countSchema,
  evaluations: amountSchema,
  duplicates: countSchema,
  invalid: countSchema,
  ...llmCountsSchema.shape,
  ...listCounts,
});

const rates = z.array(shareSchema).max(MAX_BLOCKS);

/** Attention and MLP layers that go as a whole, by the indices of their blocks; where there are such nothing else goes. */
export const droppedSchema = z.strictObject({
  attention: z.array(countSchema).max(MAX_BLOCKS),
  mlp: z.array(countSchema).max(MAX_BLOCKS),
});

/** One configuration of rates with what became of it. */
const candidateEvent = z.strictObject({
  kind: z.literal('candidate'),
  id: countSchema,
  /** 0: initialisation. */
  generation: countSchema,
  operator: z.enum([
    'llm-initialise',
    'llm-mutate',
    'llm-cross',
    'uniform',
    'owl',
    'random',
    'spread',
    'gaussian',
    'blend',
    'switch',
  ]),
  /** Ids of those that it was made of; empty for a language model, which was shown the whole population. */
  parents: z.array(countSchema).max(8),
  /** One for each block, with the plan's mean. */
  rates,
  dropped: droppedSchema.exactOptional(),
  /** Whether the language model's list was projected onto mean and range. */
  repaired: z.literal(true).exactOptional(),
  /** The request whose reply it stood in. */
  call: countSchema.exactOptional(),
  outcome: z.discriminatedUnion('kind', [
    ...evaluatedOutcomes,
    /** The other one has the very same rates; it is a baseline where \`of\` is below 0. */
    sharedOutcome.safeExtend({ of: askedIdSchema }),
    z.strictObject({ kind: z.literal('invalid'), detail: textSchema }),
  ]),
});

/** What happens in a search for rates, in order. */
export const rateEventSchema = z.discriminatedUnion('kind', [
  componentsOpeningSchema.extend({ kind: z.literal('opened') }),
  /** Rates that only an evaluation finds out have no such event. */
  baselineEvent.extend({ id: z.int().min(-MAX_NAMED).max(-1), rates }),
  measuredEvent,
  candidateEvent,
  generationEvent.extend({ counts: rateCountsSchema }),
  ...llmEvents,
  finalistEvent,
  finishedEvent.extend({ counts: rateCountsSchema, best: rankingSchema }),
  ...runEvents,
]);
