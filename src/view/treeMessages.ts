import type { ErrorData } from '../base/errors.ts';
import type { MetricInspection } from '../experiment/inspectionSchema.ts';
import type { EvaluationPlan } from '../experiment/planSchema.ts';
import type { Expression } from '../metric/expression.ts';

/** What extension and tree preview say to each other. Everything is plain data; the preview knows nothing but these. */
export type ToTree =
  | { readonly kind: 'metric'; readonly metric: ShownMetric }
  | { readonly kind: 'statistics'; readonly statistics: StatisticsState }
  /** The node of the shown form that the cursor is in. */
  | { readonly kind: 'cursor'; readonly node: number | null };

export type FromTree =
  /** The page is loaded and knows nothing. */
  | { readonly kind: 'ready' }
  /** Nodes are numbered in the order of a walk from the root of the shown form. `focus`: the keyboard goes there too. */
  | { readonly kind: 'select'; readonly node: number; readonly focus: boolean }
  | { readonly kind: 'form'; readonly form: FormName }
  | { readonly kind: 'layer'; readonly tensor: string }
  | { readonly kind: 'inspect' }
  /** Ends what runs, and wants no more statistics. */
  | { readonly kind: 'stop' }
  | { readonly kind: 'trust' }
  | { readonly kind: 'showLog' };

/** As the text says it, or what ranks alike in its canonical form. */
export type FormName = 'written' | 'canonical';

/** What a preview is about: a metric of a file, or a formula that stands in none (a candidate of a search). */
export type TreeTarget = { readonly kind: 'metric'; readonly uri: string; readonly name: string } | FormulaTarget;

export interface FormulaTarget {
  readonly kind: 'formula';
  readonly title: string;
  readonly expression: Expression;
  /** What its statistics are taken on; its evaluations are not looked at. */
  readonly plan: EvaluationPlan;
}

/** What the preview remembers while it is hidden and over a reload of the window. */
export interface TreeMemory {
  readonly target: TreeTarget;
  readonly form: FormName;
  readonly tensor: string | null;
  readonly direction: Direction;
  /** Times the natural size; null: as large as there is room for the whole tree. */
  readonly zoom: number | null;
}

export type Direction = 'right' | 'down';

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
