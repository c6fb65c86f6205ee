import type * as z from 'zod';
import type { Immutable } from '../../../base/immutable.ts';
import type { RateSearchPlan } from '../plan.ts';
import type { LlmSettings } from '../../llm/settings.ts';
import type { promptTemplatesSchema } from './schema.ts';
import type { SelfPrunerSettings } from './settings.ts';

export type PromptTemplates = Immutable<z.infer<typeof promptTemplatesSchema>>;

/** A search by Self-Pruner, which alone may ask a language model. */
export type SelfPrunerPlan = RateSearchPlan & {
  readonly search: SelfPrunerSettings;
  readonly llm: LlmSettings;
  readonly prompts: PromptTemplates;
};

/** @param plan of any run */
export function isSelfPruner(plan: {
  readonly kind: string;
  readonly search?: { readonly method: string };
}): plan is SelfPrunerPlan {
  return plan.search?.method === 'self-pruner';
}
