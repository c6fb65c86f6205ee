import * as z from 'zod';
import { expressionSchema } from '../../experiment/expressionSchema.ts';
import { inputFields } from '../../experiment/planSchema.ts';
import { plannedTasksSchema } from '../../experiment/taskSchema.ts';
import { MAX_NAMED } from './schema.ts';
import { nameSchema } from '../../base/scalarSchemas.ts';

/** What the plans of all searches have. Paths are absolute where a plan is used, relative to the workspace in its run.json. */
export const planFields = {
  /** Name of the declaration; `search` from the command line. */
  name: nameSchema,
  ...inputFields,
  /** Text that the search never sees: its best and the baselines are evaluated there at the end. */
  test: nameSchema.exactOptional(),
  /** What its best and the baselines are asked at the end, beside their perplexity. Runs of before have none. */
  tasks: plannedTasksSchema.exactOptional(),
};

export const namedMetricSchema = z.strictObject({ metric: nameSchema, expression: expressionSchema });
export const namedMetrics = z.array(namedMetricSchema).max(MAX_NAMED);
