import * as z from 'zod';
import { amountSchema, countSchema, textSchema } from '../../base/scalarSchemas.ts';
import { errorSchema } from '../../base/errorSchema.ts';
import { LLM_ROLES } from './roles.ts';

/** UTF-16 units. A prompt may show a population of thousands; nothing that a person wants to send is longer. */
export const MAX_PROMPT = 16 << 20;
/** UTF-16 units of a reply, about what a million tokens are. What a server sends beyond it is not read. */
export const MAX_REPLY = 4 << 20;
const MAX_TEMPLATE = 256 << 10;

/**
 * A prompt as a template: `{{name}}` stands for what the search fills in (model, sparsity, count, population, …). A run keeps the text that
 * it began with.
 */
export const templateSchema = z.string().max(MAX_TEMPLATE);

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

/** What was asked of a language model, and what it cost. */
export const llmCountsSchema = z.strictObject({
  /** Requests that were answered, and those that were not. */
  calls: countSchema,
  failedCalls: countSchema,
  /** Candidates that classical operators made in the language model's place. */
  fallbacks: countSchema,
  promptTokens: countSchema,
  replyTokens: countSchema,
  cost: amountSchema,
});

const role = z.enum(LLM_ROLES);

/** What a search says of its language model. */
export const llmEvents = [
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
] as const;
