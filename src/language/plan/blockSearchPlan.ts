import { resolve } from 'node:path';
import { MissingInput } from './planErrors.ts';
import { DEFAULT_LLM_SETTINGS } from '../../search/rates/selfPruner/llm.ts';
import type { LlmSettings } from '../../search/rates/selfPruner/llm.ts';
import { MASK_SEARCH_SETTINGS } from '../../search/masks/settings.ts';
import type { MaskSearchPlan } from '../../search/masks/plan.ts';
import { DEFAULT_SEARCH_METHOD, SEARCH_METHODS } from '../../search/methods.ts';
import { settingsWith } from '../../experiment/settingRow.ts';
import type { RateSearchPlan } from '../../search/rates/plan.ts';
import type { PromptTemplates } from '../../search/rates/selfPruner/plan.ts';
import { DEFAULT_SETTINGS } from '../../experiment/settings.ts';
import type { EvaluationSettings } from '../../experiment/settings.ts';
import type { UnstructuredSparsity } from '../../experiment/sparsitySchema.ts';
import { defaultStructureBaselines } from '../../search/masks/baselines.ts';
import { DEFAULT_RATE_BASELINES } from '../../search/rates/baselines.ts';
import type { SearchContent } from '../check/document.ts';
import { rateTarget, WANDA_SP } from '../check/blockSearch.ts';

/** What plans of searches for rates and masks depend on besides the file. */
export interface BlockSearchContext {
  readonly folder: string;
  /** Settings that decide no result, laid under those of the file. */
  readonly settings: Partial<EvaluationSettings>;
  readonly workers?: number;
}

export interface RatePlanContext extends BlockSearchContext {
  /** What a search says nothing of: endpoint and model that a person has set up. */
  readonly llm?: Partial<LlmSettings>;
  /** What a language model is asked with; a search that may ask one cannot be planned without them. */
  readonly prompts?: PromptTemplates;
}

/** The plan of a search for rates that has no errors. */
export function rateSearchPlan(name: string, content: SearchContent, context: RatePlanContext): RateSearchPlan {
  const { method = DEFAULT_SEARCH_METHOD, calibrate, rateBaselines = DEFAULT_RATE_BASELINES } = content;
  const { settings, asksLlm } = SEARCH_METHODS[method];
  const { prompts } = context;
  if (asksLlm && prompts === undefined) throw new Error(`a search by ${method} is planned with prompts`);
  return {
    kind: 'rates',
    name,
    ...inputs(name, content, context),
    ...(calibrate !== undefined && { calibration: resolve(context.folder, calibrate) }),
    target: rateTarget(content),
    baselines: rateBaselines,
    // Of the table of the method.
    search: settingsWith(settings, workersOf(context), content.search) as RateSearchPlan['search'],
    ...(asksLlm && { llm: { ...DEFAULT_LLM_SETTINGS, ...llmSetUp(context, content), ...content.llm } }),
    ...(asksLlm && prompts && { prompts }),
  };
}

/** The plan of a search by `policy-gradient` that has no errors. */
export function maskSearchPlan(name: string, content: SearchContent, context: BlockSearchContext): MaskSearchPlan {
  const { calibrate, structureBaselines } = content;
  if (calibrate === undefined) throw new MissingInput('search', name, 'calibrate');
  const { score, name: scoreName } = content.score ?? WANDA_SP;
  return {
    kind: 'masks',
    name,
    ...inputs(name, content, context),
    calibration: resolve(context.folder, calibrate),
    score,
    baselines: structureBaselines ?? defaultStructureBaselines(score, scoreName),
    search: settingsWith(MASK_SEARCH_SETTINGS, workersOf(context), content.search),
  };
}

const HALF: UnstructuredSparsity = { kind: 'unstructured', share: 0.5 };

function inputs(name: string, content: SearchContent, { folder, settings }: BlockSearchContext) {
  const { test, at: [sparsity = HALF] = [] } = content;
  const { model, evaluate } = searchInputs(name, content);
  // One of a file has an error of its own then.
  if (sparsity.kind !== 'unstructured') throw new MissingInput('search', name, 'at');
  return {
    model: resolve(folder, model),
    text: resolve(folder, evaluate),
    ...(test !== undefined && { test: resolve(folder, test) }),
    sparsity,
    settings: { ...DEFAULT_SETTINGS, ...settings, ...content.settings },
  };
}

/** What is set up, unless the search names another provider: models and endpoints of one mean nothing to another. */
function llmSetUp({ llm = {} }: RatePlanContext, content: SearchContent): Partial<LlmSettings> {
  const { provider = llm.provider } = content.llm;
  return provider === llm.provider ? llm : {};
}

function workersOf({ workers }: BlockSearchContext): { workers?: number } {
  return workers === undefined ? {} : { workers };
}

/** What every search takes. @throws MissingInput; a search of a file has an error of its own then */
export function searchInputs(name: string, { model, evaluate }: SearchContent) {
  if (model === undefined) throw new MissingInput('search', name, 'model');
  if (evaluate === undefined) throw new MissingInput('search', name, 'evaluate');
  return { model, evaluate };
}
