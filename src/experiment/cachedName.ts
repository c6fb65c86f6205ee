import type { HubReference } from './hubReference.ts';

/** What can be written for a model or text that is in the cache of the hub. */
export interface CachedName {
  readonly kind: HubReference['kind'];
  /** As `hf:owner/name`, or `hf:owner/name/config:split`. */
  readonly reference: string;
  /** On the disk. */
  readonly bytes: number;
  /** Milliseconds since 1970; 0 where the disk does not say. */
  readonly used: number;
  /** Whether nothing of it would have to be fetched. */
  readonly isComplete: boolean;
}
