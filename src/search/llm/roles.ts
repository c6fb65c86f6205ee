/** What a language model is asked for: rates, in three ways, and formulas. */
export const LLM_ROLES = ['initialise', 'mutate', 'cross', 'propose'] as const;
export type LlmRole = (typeof LLM_ROLES)[number];
