import * as z from 'zod';
import type { Immutable } from '../base/immutable.ts';
import { expressionSchema } from '../experiment/expressionSchema.ts';
import { planSchema } from '../experiment/planSchema.ts';
import type { ErrorData } from '../base/errors.ts';
import type { MetricInspection } from '../experiment/inspectionSchema.ts';
import { figureSchema } from '../figures/figureSchema.ts';
import type { Expression } from '../metric/expression.ts';

/** What extension and tree preview say to each other. Everything is plain data; the preview knows nothing but these. */
export type ToTree =
  | { readonly kind: 'metric'; readonly metric: ShownMetric }
  | { readonly kind: 'statistics'; readonly statistics: StatisticsState }
  /** The node of the shown form that the cursor is in. */
  | { readonly kind: 'cursor'; readonly node: number | null };

/** Nodes of an expression, names of tensors and files: far beyond any. */
const nodeSchema = z.int().min(0).max(1_000_000);
const nameSchema = z.string().min(1).max(4096);

/** As the text says it, or what ranks alike in its canonical form. */
export type FormName = z.infer<typeof formSchema>;

const formSchema = z.enum(['written', 'canonical']);

/** What a page may say. */
export type FromTree = Immutable<z.infer<typeof fromTreeSchema>>;

export const fromTreeSchema = z.discriminatedUnion('kind', [
  /** The page is loaded and knows nothing. */
  z.strictObject({ kind: z.literal('ready') }),
  /** Nodes are numbered in the order of a walk from the root of the shown form. `focus`: the keyboard goes there too. */
  z.strictObject({ kind: z.literal('select'), node: nodeSchema, focus: z.boolean() }),
  z.strictObject({ kind: z.literal('form'), form: formSchema }),
  z.strictObject({ kind: z.literal('layer'), tensor: nameSchema }),
  z.strictObject({ kind: z.literal('inspect') }),
  /** Ends what runs, and wants no more statistics. */
  z.strictObject({ kind: z.literal('stop') }),
  /** The tree as it is shown, to be written for print. */
  z.strictObject({ kind: z.literal('exportFigure'), figure: figureSchema }),
  z.strictObject({ kind: z.literal('trust') }),
  z.strictObject({ kind: z.literal('showLog') }),
]);

/** What a preview is about: a metric of a file, or a formula that stands in none (a candidate of a search). */
export type TreeTarget = TreeMemory['target'];
export type FormulaTarget = Extract<TreeTarget, { kind: 'formula' }>;

const targetSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('metric'),
    /** Files alone: what else an address can name is opened by others. */
    uri: nameSchema.regex(/^(file|untitled):/),
    name: nameSchema,
  }),
  z.strictObject({
    kind: z.literal('formula'),
    title: nameSchema,
    expression: expressionSchema,
    /** What its statistics are taken on; its evaluations are not looked at. */
    plan: planSchema,
  }),
]);

/** What the preview remembers while it is hidden and over a reload of the window; it is written by the page, too. */
export type TreeMemory = Immutable<z.infer<typeof treeMemorySchema>>;
export type Direction = TreeMemory['direction'];

export const treeMemorySchema = z.strictObject({
  target: targetSchema,
  form: formSchema,
  tensor: nameSchema.nullable(),
  direction: z.enum(['right', 'down']),
  /** Times the natural size; null: as large as there is room for the whole tree. */
  zoom: z.number().min(0.1).max(10).nullable(),
});

export interface ShownMetric {
  readonly target: TreeTarget;
  /** Where a metric stands, as a person names the file. */
  readonly file: string | null;
  /** `stale`: the text has a mistake now, and this is its last tree; `missing`: there has been none. */
  readonly condition: 'current' | 'stale' | 'missing';
  readonly form: FormName;
  /** In that form; null while there is none. */
  readonly tree: ShownForm | null;
  /** What leads from the written to the canonical form, in words, where that is shown. */
  readonly steps: readonly string[];
}

export interface ShownForm {
  readonly expression: Expression;
  /** Names of the metrics and parameters that stand in the place of a node, by its number. */
  readonly references: Readonly<Record<number, string>>;
}

export type StatisticsState =
  /** `action`: what a person can do about it. */
  | { readonly kind: 'off'; readonly hint: string; readonly action: 'inspect' | 'trust' | null }
  | { readonly kind: 'running'; readonly text: string; readonly before: Inspected | null }
  | { readonly kind: 'shown'; readonly inspected: Inspected }
  | { readonly kind: 'failed'; readonly error: ErrorData };

export interface Inspected {
  /** Prefix form of what it is about: statistics say nothing about any other expression. */
  readonly of: string;
  readonly inspection: MetricInspection;
  /** Checkpoint folder, absolute. */
  readonly model: string;
}
