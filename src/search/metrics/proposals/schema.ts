import * as z from 'zod';
import { countSchema, textSchema } from '../../../base/scalarSchemas.ts';
import { llmCountsSchema, templateSchema } from '../../llm/schema.ts';

/** What a search for metrics asks a language model with. */
export const proposalPromptsSchema = z.strictObject({ propose: templateSchema });

/** UTF-16 units of a rejected proposal that are shown; the reply has all of it. */
export const MAX_SHOWN = 200;
/** Rejected proposals of one reply that are told, each with the reason. */
export const MAX_REJECTED = 100;

/** A proposal that was rejected before anything of the model was asked. */
export const rejectedSchema = z.strictObject({ text: z.string().max(MAX_SHOWN), reason: textSchema });

/** What stood in a reply. Those that were taken up are candidates, each with this request as its `call`. */
export const proposedEvent = z.strictObject({
  kind: z.literal('proposed'),
  generation: countSchema,
  /** The request whose reply it was. */
  call: countSchema,
  used: countSchema,
  rejected: z.array(rejectedSchema).max(MAX_REJECTED),
  /** Proposals beyond those that were asked for, and beyond those that are told. */
  unread: countSchema,
});

/** Over the whole search so far, where a language model proposes. */
export const proposalCountsSchema = llmCountsSchema.extend({
  /** Formulas that became candidates, and those that were rejected before that. */
  formulasUsed: countSchema,
  formulasRejected: countSchema,
});
