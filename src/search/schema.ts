import * as z from 'zod';
import type { RunEvent, RunPlan } from './kinds.ts';
import { searchEventShape, searchPlanSchema } from './metrics/schema.ts';
import { structureEventSchema, structurePlanSchema } from './rates/schema.ts';

/** An event of any run. */
export const runEventSchema = z.discriminatedUnion('kind', [
  searchEventShape,
  structureEventSchema,
]) as unknown as z.ZodType<RunEvent>;

/** The schema that a plan must pass: it is chosen by its `kind`, so that what is said to be wrong is about the plan that is meant. */
export function runPlanSchemaFor(plan: unknown): z.ZodType<RunPlan> {
  return typeof plan === 'object' && plan !== null && 'kind' in plan ? structurePlanSchema : searchPlanSchema;
}
