import * as z from 'zod';
import type { EventOf, SearchKind, SearchPlan } from './kinds.ts';
import { maskEventSchema, maskPlanSchema } from './masks/schema.ts';
import { metricEventSchema, metricPlanSchema } from './metrics/schema.ts';
import { rateEventSchema, ratePlanSchema } from './rates/schema.ts';

/** The plan of any search: what is said to be wrong with one is about the kind that it names. */
export const searchPlanSchema: z.ZodType<SearchPlan> = z.discriminatedUnion('kind', [
  metricPlanSchema,
  ratePlanSchema,
  maskPlanSchema,
]);

/** Events by the kind of their search. */
export const EVENT_SCHEMAS: { readonly [Kind in SearchKind]: z.ZodType<EventOf<Kind>> } = {
  metrics: metricEventSchema,
  rates: rateEventSchema,
  masks: maskEventSchema,
};
