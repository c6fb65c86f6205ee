/** What every node of a metric's syntax tree computes on one linear layer. */
export interface MetricInspection {
  /** The layer's weight, by its name in the checkpoint. */
  readonly tensor: string;
  /** [out, in] of the weight. */
  readonly shape: readonly [number, number];
  /** Every prunable weight of the checkpoint, for choosing another. */
  readonly tensors: readonly string[];
  /** In the order in which a walk from the root meets them, a node before its arguments. */
  readonly nodes: readonly NodeStatistics[];
}

export interface NodeStatistics {
  /** Which argument to take at each step from the root: [] is the root, [1, 0] the first argument of its second. */
  readonly path: readonly number[];
  /** [out, in], [1, in], or [1, 1] for a number. */
  readonly shape: readonly [number, number];
  /** Over the finite values; null where there are none. */
  readonly minimum: number | null;
  readonly maximum: number | null;
  readonly mean: number | null;
  /** Share of values that are infinite or not a number, 0 to 1. */
  readonly nonFinite: number;
  /** Counts of the finite values in equal bins from minimum to maximum. */
  readonly histogram: readonly number[];
}

export const HISTOGRAM_BINS = 24;
