/** Shares of blocks, with what they are to be measured by. */
export interface BlockBarsView {
  /** Share of each block, 0 to 1. */
  readonly bars: { readonly label: string; readonly values: readonly number[] };
  /** What the bars are to be measured by. */
  readonly references: readonly {
    readonly label: string;
    readonly values: readonly number[];
    readonly style: 'uniform' | 'owl';
  }[];
  /** What the shares are shares of: `pruned share`. */
  readonly meaning: string;
}

/** How many components have which keep-probability. */
export interface HistogramView {
  /** Share of its components in each of equal bins from 0 to 1. */
  readonly series: readonly { readonly label: string; readonly shares: readonly number[] }[];
}

/** A matrix of numbers to look at. */
export interface HeatMapView {
  readonly rows: number;
  readonly columns: number;
  /** NaN where there is no value. */
  readonly at: (row: number, column: number) => number;
  /** Ends of the scale. */
  readonly min: number;
  readonly max: number;
  readonly format: (value: number) => string;
  /** Values are shares, written as percents. */
  readonly isShare: boolean;
  /** In a cell, where there is less room; as `format` by itself. */
  readonly short?: (value: number) => string;
  readonly rowLabel: (row: number) => string;
  /** What the columns count, and the last of it that lies in a column: `generation`, 20. */
  readonly along: string;
  /** The same in full, where charts of the page count it, too: all of them show where one points. */
  readonly counts?: string;
  readonly columnNumber: (column: number) => number;
  /** What is at a place, in words. */
  readonly describe: (row: number, column: number) => string;
  /** What the colours mean: `pruned share of the block`. */
  readonly meaning: string;
  /** For a screen reader: what the whole says. */
  readonly summary: string;
  /** Changes when anything above does. */
  readonly key: string;
}
