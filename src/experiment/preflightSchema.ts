import * as z from 'zod';
import type { Preflight, PreflightCost } from './preflight.ts';
import { countSchema, textSchema } from './schemas.ts';

const amountSchema = z.number().min(0);

const costShape = z.strictObject({ name: textSchema, kind: z.enum(['memory', 'disk']), bytes: amountSchema });

const preflightShape = z.strictObject({
  deviceName: textSchema,
  models: countSchema,
  blocks: countSchema,
  length: countSchema,
  gradients: z.enum(['not needed', 'cached', 'to compute']),
  steps: countSchema,
  flops: amountSchema,
  gigaflops: amountSchema,
  seconds: amountSchema,
  costs: z.array(costShape),
  free: z.strictObject({ memory: amountSchema, disk: amountSchema }),
  warnings: z.array(textSchema),
  problems: z.array(textSchema),
});

export const preflightSchema = preflightShape as unknown as z.ZodType<Preflight>;

type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false;
type Mutable<T> = T extends object ? { -readonly [Key in keyof T]: Mutable<T[Key]> } : T;
type Matches<Schema extends z.ZodType, Type> = Same<Mutable<z.infer<Schema>>, Mutable<Type>>;

// Does not compile where a schema and its type say different things.
[true, true] satisfies [Matches<typeof costShape, PreflightCost>, Matches<typeof preflightShape, Preflight>];
