import * as z from 'zod';
import type { Immutable } from '../base/immutable.ts';
import type { ComparedRun } from '../search/comparison/comparedRun.ts';

/** What extension and the page that compares runs say to each other. Everything is plain data. */
export type ToComparison =
  /** Which runs there are, in order. What the page knows of others it forgets; of these more comes. */
  | { readonly kind: 'folders'; readonly folders: readonly string[] }
  /** All that is known of these, as far as it is new. */
  | { readonly kind: 'runs'; readonly runs: readonly ComparedRun[] };

/** Runs that one compares at most: more are not told apart. */
const MOST_RUNS = 500;
const folderSchema = z.string().min(1).max(4096);
const foldersSchema = z.array(folderSchema).max(MOST_RUNS);
const columnSchema = z.string().min(1).max(200);

const pinnedSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('run'), folder: folderSchema }),
  z.strictObject({ kind: z.literal('baseline'), name: z.string().max(1000) }),
]);

const chartSchema = z.strictObject({
  along: z.enum(['evaluations', 'seconds', 'steps']),
  measure: z.enum(['fitness', 'dense', 'baseline']),
  /** The whole range, logarithmic, instead of where the runs differ. */
  whole: z.boolean(),
  /** Runs that differ in their seed alone as one line. */
  grouped: z.boolean(),
});

/** What the chart shows. */
export type ComparisonChart = Immutable<z.infer<typeof chartSchema>>;

/** What a page may say. */
export type FromComparison = Immutable<z.infer<typeof fromComparisonSchema>>;

export const fromComparisonSchema = z.discriminatedUnion('kind', [
  /** The page is loaded and knows nothing. */
  z.strictObject({ kind: z.literal('ready') }),
  z.strictObject({ kind: z.literal('open'), folder: folderSchema }),
  z.strictObject({ kind: z.literal('tags'), folder: folderSchema }),
  z.strictObject({ kind: z.literal('remove'), folder: folderSchema }),
  /** More runs are to be compared. */
  z.strictObject({ kind: z.literal('add') }),
  /** The rows as they stand there. */
  z.strictObject({
    kind: z.literal('copy'),
    format: z.enum(['markdown', 'csv']),
    folders: foldersSchema,
    pinned: pinnedSchema.exactOptional(),
  }),
  z.strictObject({
    kind: z.literal('figure'),
    format: z.enum(['svg', 'pdf']),
    folders: foldersSchema,
    pinned: pinnedSchema.exactOptional(),
    chart: chartSchema,
  }),
]);

/** What the page remembers while it is hidden and over a reload of the window; it is written by the page, too. */
export type ComparisonMemory = Immutable<z.infer<typeof comparisonMemorySchema>>;

export const comparisonMemorySchema = z.strictObject({
  folders: foldersSchema,
  chart: chartSchema,
  pinned: pinnedSchema.exactOptional(),
  sort: z.strictObject({ key: columnSchema, descending: z.boolean() }).exactOptional(),
  text: z.string().max(1000).exactOptional(),
  tag: z.string().max(100).exactOptional(),
  /** Runs that are left out of chart and table. */
  hidden: foldersSchema.exactOptional(),
  /** What is brushed of the settings' axes: from one height to another, 0 at the bottom. */
  brushes: z
    .array(z.tuple([columnSchema, z.number(), z.number()]))
    .max(200)
    .exactOptional(),
});
