import type { Expression } from '../metric/expression.ts';

/** What a report says, before it is LaTeX, Markdown or comma-separated values. All of it is plain data. */

/** A piece of a line. What others wrote is text or code: each format makes it safe in its own way. */
export type Inline =
  | { readonly kind: 'text'; readonly text: string }
  /** A name, a path, a hash. */
  | { readonly kind: 'code'; readonly text: string }
  | { readonly kind: 'formula'; readonly expression: Expression }
  /** A number as it is printed, with what it spreads by: a standard deviation or error. */
  | { readonly kind: 'number'; readonly text: string; readonly spread?: string }
  /** Keys of references.bib. */
  | { readonly kind: 'cite'; readonly keys: readonly string[] };

export type Line = readonly Inline[];

export interface Cell {
  readonly line: Line;
  /** Best of its column, or second to it. */
  readonly mark?: 'best' | 'second';
  /** The value with all its digits, for comma-separated values; what is printed without it. */
  readonly exact?: string;
}

export interface Column {
  readonly title: Line;
  /** `wrapped`: words that may need several lines. */
  readonly align: 'left' | 'right' | 'wrapped';
}

export interface Table {
  /** File name without its ending, and label: lower-case letters, digits and hyphens. */
  readonly id: string;
  readonly caption: Line;
  readonly columns: readonly Column[];
  readonly rows: readonly (readonly Cell[])[];
  /** Rows above this one are set apart by a rule: the dense model. */
  readonly headRows?: number;
  /** Sentences below it. */
  readonly notes: readonly Line[];
}

export function text(said: string): Inline {
  return { kind: 'text', text: said };
}

export function code(said: string): Inline {
  return { kind: 'code', text: said };
}

export function words(said: string): Cell {
  return { line: [text(said)] };
}

export function column(title: string, align: Column['align'] = 'left'): Column {
  return { title: [text(title)], align };
}

/** In the place of a figure that there is not. */
export const NONE: Cell = { line: [text('–')], exact: '' };
