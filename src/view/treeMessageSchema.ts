import * as z from 'zod';
import { expressionSchema } from '../experiment/expressionSchema.ts';
import { planSchema } from '../experiment/planSchema.ts';
import type { FromTree, TreeMemory } from './treeMessages.ts';

/** Nodes of an expression, names of tensors and files: far beyond any. */
const nodeSchema = z.int().min(0).max(1_000_000);
const nameSchema = z.string().min(1).max(4096);
const formSchema = z.enum(['written', 'canonical']);

/** What a page may say. */
export const fromTreeSchema: z.ZodType<FromTree> = z.union([
  z.strictObject({ kind: z.enum(['ready', 'inspect', 'stop', 'trust', 'showLog']) }),
  z.strictObject({ kind: z.literal('select'), node: nodeSchema, focus: z.boolean() }),
  z.strictObject({ kind: z.literal('form'), form: formSchema }),
  z.strictObject({ kind: z.literal('layer'), tensor: nameSchema }),
]);

const targetSchema = z.discriminatedUnion('kind', [
  // Files alone: what else an address can name is opened by others.
  z.strictObject({
    kind: z.literal('metric'),
    uri: nameSchema.regex(/^(file|untitled):/),
    name: nameSchema,
  }),
  z.strictObject({ kind: z.literal('formula'), title: nameSchema, expression: expressionSchema, plan: planSchema }),
]);

/** What a page has remembered over a reload of the window; it is written by the page, too. */
export const treeMemorySchema: z.ZodType<TreeMemory> = z.strictObject({
  target: targetSchema,
  form: formSchema,
  tensor: nameSchema.nullable(),
  direction: z.enum(['right', 'down']),
  zoom: z.number().min(0.1).max(10).nullable(),
});
