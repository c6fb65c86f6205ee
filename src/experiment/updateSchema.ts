import * as z from 'zod';
import { countSchema } from '../base/scalarSchemas.ts';
import type { Immutable } from '../base/immutable.ts';
import { settingsSchemaOf } from './settingSchema.ts';
import { UPDATES } from './updates.ts';
import type { UpdateMethod } from './updates.ts';

function updateOf<Method extends UpdateMethod>(method: Method) {
  return z.strictObject({
    method: z.literal(method),
    ...settingsSchemaOf<(typeof UPDATES)[Method]['settings']>(UPDATES[method].settings).shape,
  });
}

export const weightUpdateSchema = z.discriminatedUnion('method', [updateOf('sparsegpt'), updateOf('admm')]);
export const structureUpdateSchema = z.discriminatedUnion('method', [updateOf('reconstruct')]);
export const updateSchema = z.discriminatedUnion('method', [
  ...weightUpdateSchema.options,
  ...structureUpdateSchema.options,
]);

/** What an update came to, beside the perplexity. */
export type UpdateReport = Immutable<z.infer<typeof updateReportSchema>>;

export const updateReportSchema = z.strictObject({
  update: updateSchema,
  /** Layers whose H needed more damping than was asked for, and the most that one got. */
  damped: z.strictObject({ layers: countSchema, damping: z.number().positive() }).exactOptional(),
  /** Of whole components: output projections that were refitted, those of which a part went and a part stays. */
  layers: countSchema.exactOptional(),
});
