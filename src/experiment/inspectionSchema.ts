import * as z from 'zod';
import type { Immutable } from '../base/immutable.ts';
import { countSchema, shareSchema, textSchema } from '../base/scalarSchemas.ts';

export const HISTOGRAM_BINS = 24;

const sizeSchema = z.int().min(1);
const shapeSchema = z.tuple([sizeSchema, sizeSchema]);

export type NodeStatistics = Immutable<z.infer<typeof nodeSchema>>;

const nodeSchema = z.strictObject({
  /** Which argument to take at each step from the root: [] is the root, [1, 0] the first argument of its second. */
  path: z.array(countSchema),
  /** [out, in], [1, in], or [1, 1] for a number. */
  shape: shapeSchema,
  /** Over the finite values; null where there are none. */
  minimum: z.number().nullable(),
  maximum: z.number().nullable(),
  mean: z.number().nullable(),
  /** Share of values that are infinite or not a number, 0 to 1. */
  nonFinite: shareSchema,
  /** Counts of the finite values in equal bins from minimum to maximum. */
  histogram: z.array(countSchema).length(HISTOGRAM_BINS),
});

/** What every node of a metric's syntax tree computes on one linear layer. */
export type MetricInspection = Immutable<z.infer<typeof inspectionSchema>>;

export const inspectionSchema = z.strictObject({
  /** The layer's weight, by its name in the checkpoint. */
  tensor: textSchema,
  /** [out, in] of the weight. */
  shape: shapeSchema,
  /** Every prunable weight of the checkpoint, for choosing another. */
  tensors: z.array(textSchema),
  /** In the order in which a walk from the root meets them, a node before its arguments. */
  nodes: z.array(nodeSchema),
});
