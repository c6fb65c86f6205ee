import type { LlmSettings } from './llm/settings.ts';

/** Settings of a search that change nothing, the others being what they are. It runs all the same. */
export interface IdleSearchSettings {
  readonly names: readonly string[];
  readonly why: string;
}

/** What it depends on beside the settings of the method. */
export interface IdleContext {
  readonly llm: Partial<LlmSettings>;
}
