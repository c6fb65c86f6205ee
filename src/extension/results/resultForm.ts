/** How much of a result stands beside its line: `espalier.results.form`. The hover and the view of evaluations have all of it. */
export const RESULT_FORMS = ['auto', 'full', 'short'] as const;
export type ResultForm = (typeof RESULT_FORMS)[number];

/**
 * Columns of text that a window of one editor has room for, at the least that people work in. The editor tells no extension how wide it
 * is; what can be known is how many editors there are side by side, and how long a line is.
 */
const COLUMNS = 96;

/** Characters between a line's end and what stands behind it. */
const GAP = 3;

/** @param editors groups of editors in the window */
export function textFor(
  form: ResultForm,
  { text, short }: { readonly text: string; readonly short: string },
  lineLength: number,
  editors: number,
): string {
  if (form !== 'auto') return form === 'full' ? text : short;
  return lineLength + GAP + text.length <= COLUMNS / Math.max(1, editors) ? text : short;
}
