/** How figures look in print. Two figures of the same style fit into one paper. */
export interface PrintStyle {
  /** Millimetres; see {@link WIDTHS}. */
  readonly width: number;
  /** Millimetres; by itself what suits the kind of figure. */
  readonly height?: number;
  /** Points, at the size at which the figure is printed: 7 to 9. */
  readonly fontSize: number;
  /** Times in the place of Helvetica. */
  readonly serif: boolean;
  /** `grey`: for who prints without colours. Both tell series apart by dash and mark, too. */
  readonly colours: 'print' | 'grey';
}

/** Millimetres: a column of a two-column paper, and its text from margin to margin. */
export const WIDTHS = { column: 84, page: 174 } as const;

export const COLUMN_STYLE: PrintStyle = { width: WIDTHS.column, fontSize: 8, serif: false, colours: 'print' };
