import type * as z from 'zod';
import type { Immutable } from '../../base/immutable.ts';
import type { llmReplySchema, llmUsageSchema, rateCountsSchema, rateEventSchema } from './schema.ts';

export type RateEvent = Immutable<z.infer<typeof rateEventSchema>>;
export type RateCounts = Immutable<z.infer<typeof rateCountsSchema>>;
/** A configuration of rates. */
export type RateCandidate = Omit<Extract<RateEvent, { kind: 'candidate' }>, 'kind'>;
export type RateOperator = RateCandidate['operator'];
export type RateBaseline = Extract<RateEvent, { kind: 'baseline' }>;
export type LlmAskedEvent = Extract<RateEvent, { kind: 'llm-asked' }>;
export type LlmRepliedEvent = Extract<RateEvent, { kind: 'llm-replied' }>;
export type FallbackEvent = Extract<RateEvent, { kind: 'fallback' }>;
export type LlmReply = Immutable<z.infer<typeof llmReplySchema>>;
export type LlmUsage = Immutable<z.infer<typeof llmUsageSchema>>;
export type RateGeneration = Extract<RateEvent, { kind: 'generation' }>;
