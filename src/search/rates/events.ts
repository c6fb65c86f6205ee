import type * as z from 'zod';
import type { Immutable } from '../../base/immutable.ts';
import type { rateCountsSchema, rateEventSchema } from './schema.ts';

export type RateEvent = Immutable<z.infer<typeof rateEventSchema>>;
export type RateCounts = Immutable<z.infer<typeof rateCountsSchema>>;
/** A configuration of rates. */
export type RateCandidate = Omit<Extract<RateEvent, { kind: 'candidate' }>, 'kind'>;
export type RateOperator = RateCandidate['operator'];
export type RateBaseline = Extract<RateEvent, { kind: 'baseline' }>;
export type RateGeneration = Extract<RateEvent, { kind: 'generation' }>;
