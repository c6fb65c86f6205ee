import * as z from 'zod';
import { EXPORT_FORMATS } from './export.ts';
import { countSchema, resultSchema, settingsSchema, textSchema } from './schemas.ts';

const sizeSchema = z.number().min(0);
const machineSchema = settingsSchema.pick({ device: true, precision: true, threads: true });

export const exportTargetSchema = z.strictObject({ folder: textSchema, format: z.enum(EXPORT_FORMATS) });

export const verificationSchema = z.strictObject({
  tokens: countSchema,
  rows: countSchema,
  difference: sizeSchema,
  largest: sizeSchema,
});

export const exportReportSchema = exportTargetSchema.extend({
  result: resultSchema,
  parameters: z.strictObject({ dense: countSchema, exported: countSchema }),
  bytes: countSchema,
  plain: z.boolean(),
  leftOut: z.array(textSchema).max(10_000).readonly(),
  verification: verificationSchema,
});

/** Tokens of one sequence: the longest that any model has been trained on, many times over. */
const MAX_TOKENS = 1 << 24;

export const verifyRequestSchema = exportTargetSchema.extend({
  tokens: z.array(countSchema).min(1).max(MAX_TOKENS),
  rows: countSchema.min(1),
  reference: textSchema,
  settings: machineSchema,
});

export const speedRequestSchema = z.strictObject({
  model: textSchema,
  batch: countSchema.min(1).max(65_536),
  length: countSchema.min(1).max(MAX_TOKENS),
  settings: machineSchema,
});

export const speedPlanSchema = speedRequestSchema.omit({ model: true }).extend({
  length: countSchema.max(MAX_TOKENS),
  models: z.array(textSchema).min(1).max(64),
  rounds: countSchema.min(1).max(10_000),
});

export const speedSubjectSchema = z.strictObject({
  parameters: countSchema,
  bytes: countSchema,
  modelLength: countSchema,
});

export const speedRoundSchema = z.strictObject({ seconds: sizeSchema, peakMemory: sizeSchema });

export const speedReportSchema = speedSubjectSchema.extend({
  model: textSchema,
  length: countSchema,
  tokensPerSecond: z.strictObject({ median: sizeSchema, lowest: sizeSchema, highest: sizeSchema }),
  peakMemory: sizeSchema,
  speedUp: sizeSchema,
});
