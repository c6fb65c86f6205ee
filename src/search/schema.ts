import * as z from 'zod';
import type { EventOf, RunKind, RunPlan } from './kinds.ts';
import { maskEventSchema, maskPlanSchema } from './masks/schema.ts';
import { metricEventSchema, metricPlanSchema } from './metrics/schema.ts';
import { rateEventSchema, ratePlanSchema } from './rates/schema.ts';
import { recoveryEventSchema, recoveryPlanSchema } from './recovery/schema.ts';

/** The plan of any run: what is said to be wrong with one is about the kind that it names. */
export const searchPlanSchema: z.ZodType<RunPlan> = z.discriminatedUnion('kind', [
  metricPlanSchema,
  ratePlanSchema,
  maskPlanSchema,
  recoveryPlanSchema,
]);

/** Events by the kind of their run. */
export const EVENT_SCHEMAS: { readonly [Kind in RunKind]: z.ZodType<EventOf<Kind>> } = {
  metrics: metricEventSchema,
  rates: rateEventSchema,
  masks: maskEventSchema,
  recovery: recoveryEventSchema,
};
