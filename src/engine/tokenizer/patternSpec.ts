import * as z from 'zod';

/** A text, or a regular expression of Oniguruma's syntax. */
export type PatternSpec = z.infer<typeof PATTERN>;

export const PATTERN = z.union([
  z.strictObject({ String: z.string().min(1) }),
  z.strictObject({ Regex: z.string().min(1) }),
]);

/** What becomes of the places that a pattern matches; names are those of tokenizer.json. */
export type SplitBehavior = z.infer<typeof BEHAVIOR>;

export const BEHAVIOR = z.enum(['Isolated', 'Removed', 'MergedWithPrevious', 'MergedWithNext', 'Contiguous']);
