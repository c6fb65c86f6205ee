import { LLM_ROLES } from './roles.ts';

/** The prompts that a language model is asked with, by what is asked for; `again` stands below one of rates that is asked again. */
export const PROMPT_NAMES = [...LLM_ROLES, 'again'] as const;
export type PromptName = (typeof PROMPT_NAMES)[number];

/** All of them, as templates: each search takes those that it needs. */
export type PromptTexts = Readonly<Record<PromptName, string>>;
