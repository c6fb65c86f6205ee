import type { ErrorData } from '../base/errors.ts';
import type { EvaluationPlan } from '../experiment/plan.ts';
import type { EvaluationSettings } from '../experiment/settings.ts';

/**
 * What editor and language server say to each other beyond the Language Server Protocol: plain data, so that the extension
 * can import it without the language.
 */

/** Notification, server to client, after each validation. */
export const OUTLINE_NOTIFICATION = 'espalier/outline';

export interface OutlineParams {
  readonly uri: string;
  /** Version of the text that it describes. */
  readonly version: number;
  readonly declarations: readonly OutlineDeclaration[];
}

export interface OutlineDeclaration {
  readonly kind: 'model' | 'corpus' | 'parameter' | 'metric' | 'experiment' | 'defaults' | 'search';
  readonly name: string;
  readonly range: OutlineRange;
  readonly nameRange: OutlineRange;
  /** Whether it can be asked for with {@link PLAN_REQUEST}; what the file leaves open has to come from the fallback. */
  readonly evaluable: boolean;
  /** Of an evaluable declaration: changes exactly when its plans do, fallback and folder aside. */
  readonly planKey?: string;
}

/** As in the Language Server Protocol: lines and UTF-16 characters from 0, the end is exclusive. */
export interface OutlineRange {
  readonly start: OutlinePosition;
  readonly end: OutlinePosition;
}

export interface OutlinePosition {
  readonly line: number;
  readonly character: number;
}

/** Request, client to server: the plans of a metric or experiment. */
export const PLAN_REQUEST = 'espalier/plan';

export interface PlanParams {
  readonly uri: string;
  /** Without a name: all experiments, or all metrics where there is no experiment. */
  readonly name?: string;
  /** Taken where the file says nothing; relative paths start at the file's folder. */
  readonly fallback?: {
    readonly model?: string;
    readonly text?: string;
    readonly calibration?: string;
    readonly settings?: Partial<EvaluationSettings>;
  };
}

export type PlanResult = { readonly plans: readonly EvaluationPlan[] } | { readonly error: ErrorData };
