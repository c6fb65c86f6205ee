import type { ErrorData } from '../../base/errorSchema.ts';
import type { WorkClass, WorkerEntry } from '../wire.ts';

/** Why a worker leaves a run: it is over, its owner is gone, another one's turn, refused, or the worker itself leaves. */
export type LeftWhy = 'over' | 'silent' | 'turn' | 'refused' | 'leaving';
/** Why a worker leaves. */
export type EndedWhy = 'idle' | 'asked';

/** What a worker tells of itself, for a terminal or a log. */
export type HostEvent =
  | { readonly kind: 'started'; readonly device: string; readonly threads: number }
  | {
      readonly kind: 'took';
      readonly run: string;
      readonly title: string;
      /** Host and process that ask. */
      readonly owner: string;
      /** Seconds that opening took. */
      readonly seconds: number;
      readonly of: WorkClass;
    }
  | {
      readonly kind: 'left';
      readonly run: string;
      readonly title: string;
      readonly why: LeftWhy;
      readonly answered: number;
      readonly seconds: number;
    }
  | { readonly kind: 'refused'; readonly run: string; readonly title: string; readonly error: ErrorData }
  /** An engine ended under a question. */
  | { readonly kind: 'exited'; readonly run: string; readonly title: string; readonly error: ErrorData }
  | { readonly kind: 'ended'; readonly why: EndedWhy; readonly answered: number };

/** What it does now. */
export interface HostStatus {
  readonly state: WorkerEntry['state'];
  readonly title?: string;
  readonly answered: number;
  readonly perMinute: number;
}
