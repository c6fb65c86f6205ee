import * as z from 'zod';
import { amountSchema, countSchema, shareSchema, nameSchema, textSchema } from '../../base/scalarSchemas.ts';
import { errorSchema } from '../../base/errorSchema.ts';
import { expressionSchema } from '../../experiment/expressionSchema.ts';
import { structureScoreSchema, MAX_BLOCKS, ratesSchema } from '../../experiment/structureSchema.ts';
import { unstructuredSchema } from '../../experiment/sparsitySchema.ts';
import { settingsSchemaOf } from '../../experiment/settingSchema.ts';
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
import { LLM_ROLES, LLM_SETTINGS } from './llm.ts';
import { RATE_SEARCH_SETTINGS } from './settings.ts';

/** UTF-16 units. A prompt may show a population of thousands; nothing that a person wants to send is longer. */
export const MAX_PROMPT = 16 << 20;
/** UTF-16 units of a reply, about what a million tokens are. What a server sends beyond it is not read. */
export const MAX_REPLY = 4 << 20;
const MAX_TEMPLATE = 256 << 10;

const template = z.string().max(MAX_TEMPLATE);
/**
 * Prompts as templates: `{{name}}` stands for what the search fills in (model, architecture, blocks, sparsity, count, population, …). A
 * run keeps the text that it began with.
 */
export const promptTemplatesSchema = z.strictObject({
  initialise: template,
  mutate: template,
  cross: template,
  again: template,
});

/** What the rates say how much to remove of. */
export const rateTargetSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('structure'), name: nameSchema, score: structureScoreSchema }),
  z.strictObject({ kind: z.literal('weights'), metric: nameSchema, expression: expressionSchema }),
]);

export const namedRatesSchema = z.strictObject({ name: nameSchema, rates: ratesSchema });

/** Everything that decides what a search for layer-wise pruning rates finds. */
export const ratePlanSchema = z.strictObject({
  kind: z.literal('rates'),
  ...planFields,
  /** Mean of the rates. */
  sparsity: unstructuredSchema,
  target: rateTargetSchema,
  /** Rates that the search is compared with. */
  baselines: z.array(namedRatesSchema).max(MAX_NAMED),
  search: settingsSchemaOf(RATE_SEARCH_SETTINGS),
  llm: settingsSchemaOf(LLM_SETTINGS),
  prompts: promptTemplatesSchema,
});

export const llmUsageSchema = z.strictObject({
  promptTokens: countSchema,
  replyTokens: countSchema,
  /** Whether they are estimated from the length of the texts: the provider has not said. */
  estimated: z.literal(true).exactOptional(),
});

export const llmReplySchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('text'),
    text: z.string().max(MAX_REPLY),
    usage: llmUsageSchema,
    cost: amountSchema,
    model: textSchema,
  }),
  /** After all tries; with what the provider may charge for them. Beyond the cap nothing is asked, and there is no `llm-asked` event. */
  z.strictObject({
    kind: z.literal('failed'),
    error: errorSchema,
    usage: llmUsageSchema.exactOptional(),
    cost: amountSchema.exactOptional(),
  }),
  /** The process ended while it waited: it may have been paid for and is not asked again. */
  z.strictObject({ kind: z.literal('lost') }),
]);

/** Over the whole search so far. */
export const rateCountsSchema = z.strictObject({
  candidates: countSchema,
  evaluations: amountSchema,
  duplicates: countSchema,
  invalid: countSchema,
  /** Requests to the language model that were answered, and those that were not. */
  calls: countSchema,
  failedCalls: countSchema,
  /** Lists that stood in replies: used as they were, used after projection, refused. */
  listsUsed: countSchema,
  listsRepaired: countSchema,
  listsRefused: countSchema,
  /** Candidates that classical operators made in the language model's place. */
  fallbacks: countSchema,
  promptTokens: countSchema,
  replyTokens: countSchema,
  cost: amountSchema,
});

const role = z.enum([...LLM_ROLES]);
const rates = z.array(shareSchema).max(MAX_BLOCKS);

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
  ]),
  /** Ids of those that it was made of; empty for a language model, which was shown the whole population. */
  parents: z.array(countSchema).max(8),
  /** One for each block, with the plan's mean. */
  rates,
  /** Whether the language model's list was projected onto mean and range. */
  repaired: z.literal(true).exactOptional(),
  /** The request whose reply it stood in. */
  call: countSchema.exactOptional(),
  outcome: z.discriminatedUnion('kind', [
    ...evaluatedOutcomes,
    /** The other one has the very same rates; it is a baseline where \`of\` is below 0. */
    sharedOutcome.extend({ of: askedIdSchema }),
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
  /** Written before a request is sent: one that has no reply after a kill may have been paid for, and is not sent again. */
  z.strictObject({
    kind: z.literal('llm-asked'),
    /** Counts from 0. */
    call: countSchema,
    generation: countSchema,
    role,
    /** 0, or how many times the same was asked before. */
    attempt: countSchema,
    wanted: countSchema,
    prompt: z.string().max(MAX_PROMPT),
  }),
  z.strictObject({ kind: z.literal('llm-replied'), call: countSchema, reply: llmReplySchema, seconds: amountSchema }),
  /** Classical operators stand in for the language model, for so many candidates. */
  z.strictObject({
    kind: z.literal('fallback'),
    generation: countSchema,
    role,
    count: countSchema,
    reason: textSchema,
  }),
  finalistEvent,
  finishedEvent.extend({ counts: rateCountsSchema, best: rankingSchema }),
  ...runEvents,
]);
