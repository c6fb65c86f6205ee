import type { LlmRole } from '../../llm/roles.ts';

/** What Self-Pruner asks a language model for. */
export type RateRole = Exclude<LlmRole, 'propose'>;
export const RATE_ROLES: readonly RateRole[] = ['initialise', 'mutate', 'cross'];
