import type { LlmRole } from './roles.ts';

/** One question to a language model. */
export interface LlmRequest {
  /** Counts from 0, in the order of the requests. */
  readonly call: number;
  readonly role: LlmRole;
  /** 0, or how many times the same was asked before. */
  readonly attempt: number;
  /** Lists, or formulas, that are asked for. */
  readonly wanted: number;
  readonly generation: number;
  readonly prompt: string;
}
