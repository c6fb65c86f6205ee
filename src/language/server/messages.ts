import type { Range } from 'vscode-languageserver';
import type { ErrorData } from '../../base/errors.ts';
import type { Immutable } from '../../base/immutable.ts';
import type { CachedName } from '../../experiment/cachedName.ts';
import type { EvaluationPlan } from '../../experiment/planSchema.ts';
import type { SearchMethod, SearchPlan } from '../../search/kinds.ts';
import type { Expression } from '../../metric/expression.ts';
import type { FirstDocuments } from './firstDocuments.ts';
import type { PlanContext } from '../plan/plan.ts';
import type { SearchPlanContext } from '../plan/searchPlan.ts';

/**
 * What editor and language server say to each other beyond the Language Server Protocol: plain data, so that the extension
 * can import it without the language.
 */

/** Notification, server to client, after each validation: what has become of the outline of an open file. */
export const OUTLINE_NOTIFICATION = 'espalier/outline';

/** Counts from the outline that was told before; the first one of an open file is told whole. */
export interface OutlineChange {
  readonly uri: string;
  readonly version: number;
  /** Declarations at the beginning that are as they were. */
  readonly head: number;
  /** Those behind them. */
  readonly declarations: readonly OutlineDeclaration[];
  /** Declarations at the end that are as they were, `lines` further down. */
  readonly tail: number;
  readonly lines: number;
}

export interface OutlineParams {
  readonly uri: string;
  /** Version of the text that it describes. */
  readonly version: number;
  readonly declarations: readonly OutlineDeclaration[];
}

export interface OutlineDeclaration {
  readonly kind: 'model' | 'corpus' | 'task' | 'parameter' | 'metric' | 'experiment' | 'defaults' | 'search';
  readonly name: string;
  readonly range: OutlineRange;
  readonly nameRange: OutlineRange;
  /** Whether it can be asked for with {@link PLAN_REQUEST}; what the file leaves open has to come from the fallback. */
  readonly evaluable: boolean;
  /** Of a search: whether it can be asked for with {@link SEARCH_PLAN_REQUEST}. An evaluable metric can be evolved from. */
  readonly runnable?: boolean;
  /** Of a search: how it searches. */
  readonly method?: SearchMethod;
  /** Of a search that may ask a language model: its plan holds prompts. */
  readonly asksLlm?: true;
  /** Of an evaluable declaration or a runnable search: changes exactly when its plans do, fallback and folder aside. */
  readonly planKey?: string;
}

/** As in the Language Server Protocol: lines and UTF-16 characters from 0, the end is exclusive. */
export type OutlineRange = Immutable<Range>;

/** Request, client to server: the plans of a metric or experiment. */
export const PLAN_REQUEST = 'espalier/plan';

export interface PlanParams extends Omit<PlanContext, 'folder'> {
  readonly uri: string;
  /** Without a name: all experiments, or all metrics where there is no experiment. */
  readonly name?: string;
}

export type PlanResult = { readonly plans: readonly EvaluationPlan[] } | { readonly error: ErrorData };

/** Request, client to server: the plan of a search, or of one that starts from a metric ("Evolve from here"). */
export const SEARCH_PLAN_REQUEST = 'espalier/searchPlan';

export interface SearchPlanParams extends Omit<SearchPlanContext, 'folder'> {
  readonly uri: string;
  /** Of a search; without it the file's first one. Has no meaning beside `from`. */
  readonly name?: string;
  /** Name of a metric to start from: in the file's first search, or without one on what the metric is evaluated on. */
  readonly from?: string;
}

export type SearchPlanResult = { readonly plan: SearchPlan } | { readonly error: ErrorData };

/** Notification, client to server: what the cache of the hub holds now, for completion. The server itself looks at no disk. */
export const HUB_NAMES_NOTIFICATION = 'espalier/hubNames';

export interface HubNamesParams {
  /** What was used last first. */
  readonly names: readonly CachedName[];
}

/** Notification, server to client, after each validation: the files with documents that the tasks of an open file name, absolute. */
export const TASK_FILES_NOTIFICATION = 'espalier/taskFiles';

export interface TaskFilesParams {
  readonly uri: string;
  readonly files: readonly string[];
}

/** Notification, client to server: the first documents of such a file, now and whenever it changes. The server itself looks at no disk. */
export const FIRST_DOCUMENTS_NOTIFICATION = 'espalier/firstDocuments';

export interface FirstDocumentsParams {
  readonly file: string;
  /** Undefined: nobody looks at it any more. */
  readonly first: FirstDocuments | undefined;
}

/** Request, client to server: the syntax tree of a metric, references replaced by what they stand for. */
export const TREE_REQUEST = 'espalier/tree';

export interface TreeParams {
  readonly uri: string;
  readonly name: string;
}

/** Null where the open file has no such metric, or it has a mistake. */
export type TreeResult = MetricTree | null;

export interface MetricTree {
  /** Version of the text that the ranges are in. */
  readonly version: number;
  readonly expression: Expression;
  /** In the order of a walk from the root, a node before its arguments. */
  readonly places: readonly NodePlace[];
}

export interface NodePlace {
  /** What is inside a metric or parameter that is referred to has the range of the reference. */
  readonly range: OutlineRange;
  /** Name of the metric or parameter that stands there in the place of this node. */
  readonly reference?: string;
}
