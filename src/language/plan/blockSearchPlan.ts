import { MissingInput } from './planErrors.ts';
import type { LlmSettings } from '../../search/llm/settings.ts';
import { MASK_SEARCH_SETTINGS } from '../../search/masks/settings.ts';
import type { MaskSearchPlan } from '../../search/masks/plan.ts';
import { DEFAULT_SEARCH_METHOD, SEARCH_METHODS } from '../../search/methods.ts';
import { protocolSettings } from '../../experiment/protocols.ts';
import { settingsWith } from '../../experiment/settingRow.ts';
import type { SaidSettings } from '../../experiment/settingRow.ts';
import type { RateSearchPlan } from '../../search/rates/plan.ts';
import type { PromptTexts } from '../../search/llm/prompts.ts';
import { isWeightUpdate } from '../../experiment/updates.ts';
import type { EvaluationSettings } from '../../experiment/settings.ts';
import { DEFAULT_SPARSITY } from '../../experiment/sparsity.ts';
import { defaultStructureBaselines } from '../../search/masks/baselines.ts';
import { DEFAULT_RATE_BASELINES } from '../../search/rates/baselines.ts';
import type { SearchContent } from '../check/document.ts';
import { rateTarget, WANDA_SP } from '../check/blockSearch.ts';
import { locate, plannedSettings, plannedTexts } from './plannedInputs.ts';
import { mayAskLlm, plannedLlm } from './plannedLlm.ts';
import { plannedTasks } from './plannedTasks.ts';

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
  readonly prompts?: PromptTexts;
}

/** The plan of a search for rates that has no errors. */
export function rateSearchPlan(name: string, content: SearchContent, context: RatePlanContext): RateSearchPlan {
  const { method = DEFAULT_SEARCH_METHOD, rateBaselines = DEFAULT_RATE_BASELINES } = content;
  const { settings } = SEARCH_METHODS[method];
  const { llm, prompts } = context;
  const asks = mayAskLlm(content);
  if (asks && prompts === undefined) throw new Error(`a search by ${method} is planned with prompts`);
  return {
    kind: 'rates',
    name,
    ...inputs(name, content, context),
    target: rateTarget(content),
    baselines: rateBaselines,
    ...(content.update && { update: content.update }),
    // Of the table of the method.
    search: settingsWith(settings, workersOf(context), ofProtocol(content), content.search) as RateSearchPlan['search'],
    ...(asks && { llm: plannedLlm(content, llm) }),
    ...(asks && prompts && { prompts: promptsOfRates(prompts) }),
  };
}

/** The plan of a search by `policy-gradient` that has no errors. */
export function maskSearchPlan(name: string, content: SearchContent, context: BlockSearchContext): MaskSearchPlan {
  const { structureBaselines, update } = content;
  const { calibration, ...others } = inputs(name, content, context);
  if (calibration === undefined) throw new MissingInput('search', name, 'calibrate');
  const { score, name: scoreName } = content.score ?? WANDA_SP;
  return {
    kind: 'masks',
    name,
    ...others,
    calibration,
    score,
    baselines: structureBaselines ?? defaultStructureBaselines(score, scoreName),
    ...(update && !isWeightUpdate(update) && { update }),
    search: settingsWith(MASK_SEARCH_SETTINGS, workersOf(context), ofProtocol(content), content.search),
  };
}

function inputs(name: string, content: SearchContent, { folder, settings }: BlockSearchContext) {
  const { at: [sparsity = DEFAULT_SPARSITY] = [] } = content;
  // One of a file has an error of its own then.
  if (sparsity.kind === 'n:m') throw new MissingInput('search', name, 'at');
  return {
    ...searchInputs(name, content, folder),
    sparsity,
    settings: plannedSettings(content.protocol, settings, content.settings),
  };
}

/** Settings of the method that a protocol says. */
function ofProtocol({ protocol }: SearchContent): SaidSettings {
  return protocolSettings(protocol, 'search');
}

function promptsOfRates({ initialise, mutate, cross, again }: PromptTexts): Omit<PromptTexts, 'propose'> {
  return { initialise, mutate, cross, again };
}

function workersOf({ workers }: BlockSearchContext): { workers?: number } {
  return workers === undefined ? {} : { workers };
}

/** What every search takes. @throws MissingInput; a search of a file has an error of its own then */
export function searchInputs(name: string, content: SearchContent, folder: string) {
  const { model } = content;
  const { text, ...texts } = plannedTexts(content, folder, 'search');
  if (model === undefined) throw new MissingInput('search', name, 'model');
  if (text === undefined) throw new MissingInput('search', name, 'evaluate');
  const tasks = plannedTasks(content, folder);
  return { model: locate(folder, model), text, ...texts, ...(tasks && { tasks }) };
}
