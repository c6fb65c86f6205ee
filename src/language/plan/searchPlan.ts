import { createHash } from 'node:crypto';
import { defaultBaselines } from '../../search/metrics/baselines.ts';
import { protocolOf } from '../../experiment/protocols.ts';
import type { LlmSettings } from '../../search/llm/settings.ts';
import type { PromptTexts } from '../../search/llm/prompts.ts';
import type { SearchPlan } from '../../search/kinds.ts';
import { DEFAULT_SEARCH_OPERATIONS } from '../../search/metrics/plan.ts';
import type { NamedMetric, MetricSearchPlan } from '../../search/metrics/plan.ts';
import { DEFAULT_METRIC_SEARCH_SETTINGS, METRIC_SEARCH_SETTINGS } from '../../search/metrics/settings.ts';
import type { MetricSearchSettings } from '../../search/metrics/settings.ts';
import { protocolSettings } from '../../experiment/protocols.ts';
import { isWeightUpdate } from '../../experiment/updates.ts';
import { SETTINGS } from '../../experiment/settings.ts';
import { DEFAULT_SPARSITY } from '../../experiment/sparsity.ts';
import { isOfWeights } from '../check/prunings.ts';
import { operandsOf } from '../../metric/measure.ts';
import type { OperandName } from '../../metric/operands.ts';
import type {
  CompiledDocument,
  Declaration,
  ExperimentDeclaration,
  PrunedMetric,
  SearchContent,
  SearchDeclaration,
} from '../check/document.ts';
import { mergedSettings } from '../check/mergedSettings.ts';
import { plansFor } from './plan.ts';
import type { PlanContext, PlanFallback } from './plan.ts';
import { kindOf, searchOperands } from '../check/search.ts';
import { brokenDeclaration, MissingInput, noDeclaration } from './planErrors.ts';
import { maskSearchPlan, rateSearchPlan, searchInputs } from './blockSearchPlan.ts';
import { contentOf, plannedSettings } from './plannedInputs.ts';
import { mayAskLlm, plannedLlm } from './plannedLlm.ts';
import { undecidingOf } from '../../experiment/settingRow.ts';

/** What search plans depend on besides the file. */
export interface SearchPlanContext extends PlanContext {
  readonly fallback?: SearchPlanFallback;
  /** Prompts for a language model; a search that may ask one cannot be planned without them. */
  readonly prompts?: PromptTexts;
}

export interface SearchPlanFallback extends PlanFallback {
  /** Of these a declared search takes only what does not decide its result, such as `workers`. */
  readonly search?: Partial<MetricSearchSettings>;
  /** The language model that a person has set up, where a search says nothing of it. */
  readonly llm?: Partial<LlmSettings>;
}

/**
 * The plan of a search of the file, or without a name those of all its searches. What a search does not say is taken from
 * `defaults`, then from the tables of settings.
 * @throws EspalierError `language/no-such-declaration`, `language/errors` where the search or `defaults` has errors
 */
export function searchPlansFor(
  document: CompiledDocument,
  name: string | undefined,
  context: SearchPlanContext,
): SearchPlan[] {
  return searchesOf(document, name).map((search) => searchPlanOf(draftOf(document, search), context));
}

/** What a search is to do, before it is a plan. */
export interface SearchDraft {
  readonly name: string;
  /** All that is said of it; paths start from the file's folder. */
  readonly content: SearchContent;
}

/** @throws EspalierError `language/no-such-declaration` */
export function searchesOf({ declarations }: CompiledDocument, name: string | undefined): readonly SearchDeclaration[] {
  const searches = declarations.filter((declaration) => declaration.kind === 'search');
  const asked = name === undefined ? searches : searches.filter((search) => search.name === name).slice(0, 1);
  if (asked.length === 0) throw noDeclaration('search', name, namesOf(searches));
  return asked;
}

/**
 * The plan of a search that starts from one metric ("Evolve from here"): as the file's first search says, with this metric
 * in the place of those that it starts from; without a search on what the metric is evaluated on.
 * @throws EspalierError as {@link searchPlansFor} and `plansFor` do; `settings/invalid` where the inputs are not known
 */
export function searchPlanFrom(
  document: CompiledDocument,
  metric: string,
  context: SearchPlanContext,
): MetricSearchPlan {
  return metricSearchPlan(draftFrom(document, metric, context), context);
}

/** As {@link searchPlanFrom}, before it is a plan. */
export function draftFrom(document: CompiledDocument, metric: string, context: SearchPlanContext): SearchDraft {
  const { declarations } = document;
  const found = declarations.find((declaration) => declaration.kind === 'metric' && declaration.name === metric);
  if (found?.kind !== 'metric') {
    const metrics = declarations.filter(({ kind }) => kind === 'metric');
    throw noDeclaration('metric', metric, namesOf(metrics));
  }
  if (found.broken || found.expression === undefined) throw brokenDeclaration('search', metric, found);
  const seed = { label: metric, metric, expression: found.expression };
  const name = `${metric}_evolved`;
  const search = declarations.find(isMetricSearch);
  if (search !== undefined) {
    const { content } = draftOf(document, search);
    // The operands that the search lists are those of its own metrics.
    const operands = content.operands && operandsWith(content.operands, seed);
    return { name, content: { ...content, from: [seed], ...(operands && { operands }) } };
  }
  // In a file without searches: on what the metric is evaluated on, at its first sparsity.
  const { evaluations, ...inputs } = plansFor(document, metric, context)[0]!;
  const ofProtocol = inputs.protocol && protocolOf(inputs.protocol).texts.calibration?.from;
  if ((inputs.calibration ?? ofProtocol) === undefined) throw new MissingInput('search', name, 'calibrate');
  const { method, ...settings } = context.fallback?.search ?? {};
  const at = evaluations.slice(0, 1).map(({ sparsity }) => sparsity);
  const own = { ...(method && { method }), at, from: [seed], search: settings, llm: {} };
  return { name, content: { ...contentOf(inputs), ...own } };
}

/** Whether {@link searchPlansFor} gives a plan for it. */
export function isRunnable(document: CompiledDocument, search: SearchDeclaration): boolean {
  return !search.broken && defaultsOf(document)?.broken !== true;
}

/** A string that changes exactly when the plan of a runnable search does, the fallback and the folder aside. */
export function searchPlanKey(document: CompiledDocument, search: SearchDeclaration): string {
  const plan = searchPlanOf(draftOf(document, search), { folder: '/', prompts: NO_PROMPTS });
  return createHash('sha256').update(JSON.stringify(plan)).digest('hex');
}

function isMetricSearch(declaration: Declaration): declaration is SearchDeclaration {
  return declaration.kind === 'search' && kindOf(declaration.content) === 'metrics';
}

/** Prompts decide no plan’s key: they are not the file’s. */
const NO_PROMPTS: PromptTexts = { initialise: '', mutate: '', cross: '', propose: '', again: '' };

/** What a search says, on top of the defaults. */
export function draftOf(document: CompiledDocument, search: SearchDeclaration): SearchDraft {
  const defaults = defaultsOf(document);
  const broken = search.broken ? search : defaults?.broken === true ? defaults : undefined;
  if (broken !== undefined) throw brokenDeclaration('search', search.name, broken);
  const protocol = search.content.protocol ?? defaults?.content.protocol;
  const settings = mergedSettings(protocol, defaults?.content.settings, search.content.settings);
  return { name: search.name, content: { ...defaults?.content, ...search.content, settings } };
}

/** @throws EspalierError `settings/invalid` where it is not said what to search on */
export function searchPlanOf(draft: SearchDraft, context: SearchPlanContext): SearchPlan {
  const { name, content } = draft;
  const { folder, fallback = {}, prompts } = context;
  const kind = kindOf(content);
  if (kind === 'metrics') return metricSearchPlan(draft, context);
  const common = {
    folder,
    settings: undecidingOf(SETTINGS, fallback.settings ?? {}),
    ...(fallback.search?.workers !== undefined && { workers: fallback.search.workers }),
    ...(fallback.llm && { llm: fallback.llm }),
  };
  if (kind === 'masks') return maskSearchPlan(name, content, common);
  return rateSearchPlan(name, content, { ...common, ...(prompts && { prompts }) });
}

function metricSearchPlan(
  { name, content }: SearchDraft,
  { folder, fallback = {}, prompts }: SearchPlanContext,
): MetricSearchPlan {
  const { at = [], from = [], baselines, operations = [], protocol, update } = content;
  const operands = searchOperands(content);
  const asks = mayAskLlm(content);
  if (asks && prompts === undefined) throw new Error('a search with proposals is planned with prompts');
  return {
    kind: 'metrics',
    name,
    ...searchInputs(name, content, folder),
    // One of a file has an error of its own otherwise.
    sparsity: at.find(isOfWeights) ?? DEFAULT_SPARSITY,
    operations: operations.length > 0 ? operations : DEFAULT_SEARCH_OPERATIONS,
    operands,
    seeds: from.map(namedMetric),
    baselines: baselines?.map(namedMetric) ?? defaultBaselines(operands),
    ...(update && isWeightUpdate(update) && { update }),
    settings: plannedSettings(protocol, undecidingOf(SETTINGS, fallback.settings ?? {}), content.settings),
    search: {
      ...DEFAULT_METRIC_SEARCH_SETTINGS,
      ...undecidingOf(METRIC_SEARCH_SETTINGS, fallback.search ?? {}),
      ...protocolSettings(protocol, 'search'),
      ...content.search,
      method: content.method === 'random' ? 'random' : 'pruner-zero',
    },
    ...(asks && { llm: plannedLlm(content, fallback.llm) }),
    ...(asks && prompts && { prompts: { propose: prompts.propose } }),
  };
}

function operandsWith(operands: readonly OperandName[], { expression }: PrunedMetric): readonly OperandName[] {
  return [...new Set([...operands, ...operandsOf(expression)])];
}

function namedMetric({ label, expression }: PrunedMetric): NamedMetric {
  return { metric: label, expression };
}

function defaultsOf({ declarations }: CompiledDocument): ExperimentDeclaration | undefined {
  return declarations.find((declaration): declaration is ExperimentDeclaration => declaration.kind === 'defaults');
}

function namesOf(declarations: readonly Declaration[]): readonly string[] {
  return declarations.map(({ name }) => name);
}
