import type * as z from 'zod';
import type { Immutable } from '../../base/immutable.ts';
import type { namedRatesSchema, ratePlanSchema, rateTargetSchema } from './schema.ts';

export type RateSearchPlan = Immutable<z.infer<typeof ratePlanSchema>>;
export type RateTarget = Immutable<z.infer<typeof rateTargetSchema>>;
export type NamedRates = Immutable<z.infer<typeof namedRatesSchema>>;
