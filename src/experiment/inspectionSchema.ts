import * as z from 'zod';
import { HISTOGRAM_BINS } from './inspection.ts';
import type { MetricInspection, NodeStatistics } from './inspection.ts';
import { countSchema, textSchema } from './schemas.ts';

const sizeSchema = z.int().min(1);
const shapeSchema = z.tuple([sizeSchema, sizeSchema]);

const nodeShape = z.strictObject({
  path: z.array(countSchema),
  shape: shapeSchema,
  minimum: z.number().nullable(),
  maximum: z.number().nullable(),
  mean: z.number().nullable(),
  nonFinite: z.number().min(0).max(1),
  histogram: z.array(countSchema).length(HISTOGRAM_BINS),
});

const inspectionShape = z.strictObject({
  tensor: textSchema,
  shape: shapeSchema,
  tensors: z.array(textSchema),
  nodes: z.array(nodeShape),
});

export const inspectionSchema = inspectionShape as unknown as z.ZodType<MetricInspection>;

type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false;
type Mutable<T> = T extends object ? { -readonly [Key in keyof T]: Mutable<T[Key]> } : T;
type Matches<Schema extends z.ZodType, Type> = Same<Mutable<z.infer<Schema>>, Mutable<Type>>;

// Does not compile where a schema and its type say different things.
[true, true] satisfies [Matches<typeof nodeShape, NodeStatistics>, Matches<typeof inspectionShape, MetricInspection>];
