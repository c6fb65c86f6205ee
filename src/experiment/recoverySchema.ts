import * as z from 'zod';
import type { Immutable } from '../base/immutable.ts';
import { countSchema, textSchema } from '../base/scalarSchemas.ts';
import { RECOVERY_METHOD_NAMES, RECOVERY_SETTINGS, STOP_REASONS } from './recovery.ts';
import { settingsSchemaOf } from './settingSchema.ts';

export const recoverySchema = z.strictObject({
  method: z.enum(RECOVERY_METHOD_NAMES),
  ...settingsSchemaOf(RECOVERY_SETTINGS).shape,
});

/** What a recovery came to, beside the perplexity. */
export type RecoveryReport = Immutable<z.infer<typeof recoveryReportSchema>>;

export const recoveryReportSchema = z.strictObject({
  recovery: recoverySchema,
  /** Numbers that were trained, on so many sequences. */
  trainable: countSchema,
  sequences: countSchema,
  /** Steps that were done, and those of the state that is kept: 0 where none was better on the held-out text than the model before. */
  steps: countSchema,
  kept: countSchema,
  reason: z.enum(STOP_REASONS),
  /** For a person: why it ended. */
  detail: textSchema,
  /** Perplexities on the held-out text: of the dense model, before the first step, and of what is kept. Null: not finite. */
  heldOut: z.strictObject({
    dense: z.number().nullable(),
    before: z.number().nullable(),
    after: z.number().nullable(),
  }),
  /** Of the model before the first step, on the text that the result is of. */
  before: z.number(),
});
