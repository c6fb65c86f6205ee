import * as z from 'zod';
import { countSchema } from '../../../base/scalarSchemas.ts';
import { templateSchema } from '../../llm/schema.ts';

/** What Self-Pruner asks a language model with, by what is asked for; `again` stands below the prompt that is asked again. */
export const promptTemplatesSchema = z.strictObject({
  initialise: templateSchema,
  mutate: templateSchema,
  cross: templateSchema,
  again: templateSchema,
});

/** Lists that stood in replies: used as they were, used after projection, refused. */
export const listCounts = {
  listsUsed: countSchema,
  listsRepaired: countSchema,
  listsRefused: countSchema,
};
