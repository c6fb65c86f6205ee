import { DEFAULT_LLM_SETTINGS } from '../../search/llm/settings.ts';
import type { LlmSettings } from '../../search/llm/settings.ts';
import { DEFAULT_SEARCH_METHOD, SEARCH_METHODS } from '../../search/methods.ts';
import type { SearchContent } from '../check/document.ts';

/** Whether a search may ask a language model: its plan then holds prompts. */
export function mayAskLlm({
  method = DEFAULT_SEARCH_METHOD,
  search,
}: Pick<SearchContent, 'method' | 'search'>): boolean {
  return SEARCH_METHODS[method].asksLlm?.(search) ?? false;
}

/**
 * The language model of a search: what it says, and for the rest what is set up, unless it names another provider: models and endpoints
 * of one mean nothing to another.
 *
 * @param setUp what a person has set up
 */
export function plannedLlm({ llm }: Pick<SearchContent, 'llm'>, setUp: Partial<LlmSettings> = {}): LlmSettings {
  const { provider = setUp.provider } = llm;
  return { ...DEFAULT_LLM_SETTINGS, ...(provider === setUp.provider ? setUp : {}), ...llm };
}
