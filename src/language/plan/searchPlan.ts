import { createHash } from 'node:crypto';
import { resolve } from 'node:path';
import { EspalierError } from '../../base/errors.ts';
import { defaultBaselines } from '../../search/metrics/baselines.ts';
import type { LlmSettings } from '../../search/rates/llm.ts';
import type { RunKind, RunPlan } from '../../search/kinds.ts';
import { DEFAULT_SEARCH_OPERATIONS } from '../../search/metrics/plan.ts';
import type { NamedMetric, SearchPlan } from '../../search/metrics/plan.ts';
import { DEFAULT_SEARCH_METHOD, SEARCH_METHODS } from '../../search/methods.ts';
import { DEFAULT_SETTINGS, SETTINGS } from '../../experiment/settings.ts';
import { DEFAULT_SPARSITY } from '../../experiment/sparsity.ts';
import { operandsOf } from '../../metric/measure.ts';
import { nearestName } from '../../metric/nearest.ts';
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
import { searchOperands } from '../check/search.ts';
import { maskSearchPlan, rateSearchPlan } from './structureSearchPlan.ts';
import { undecidingOf } from '../../experiment/settingRow.ts';
import { DEFAULT_SEARCH_SETTINGS, SEARCH_SETTINGS } from '../../search/metrics/settings.ts';
import type { SearchSettings } from '../../search/metrics/settings.ts';
import type { PromptTemplates } from '../../search/rates/plan.ts';

/** What search plans depend on besides the file. */
export interface SearchPlanContext extends PlanContext {
  readonly fallback?: SearchPlanFallback;
  /** Prompts for a language model; a search for rates cannot be planned without them. */
  readonly prompts?: PromptTemplates;
}

export interface SearchPlanFallback extends PlanFallback {
  /** Of these a declared search takes only what does not decide its result, such as `workers`. */
  readonly search?: Partial<SearchSettings>;
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
): RunPlan[] {
  const searches = document.declarations.filter((declaration) => declaration.kind === 'search');
  const asked = name === undefined ? searches : searches.filter((search) => search.name === name).slice(0, 1);
  if (asked.length === 0) throw noDeclaration('search', name, searches);
  return asked.map((search) => runPlanOf(search.name, wholeContent(document, search), context));
}

/**
 * The plan of a search that starts from one metric ("Evolve from here"): as the file's first search says, with this metric
 * in the place of those that it starts from; without a search on what the metric is evaluated on.
 * @throws EspalierError as {@link searchPlansFor} and `plansFor` do; `settings/invalid` where the inputs are not known
 */
export function searchPlanFrom(document: CompiledDocument, metric: string, context: SearchPlanContext): SearchPlan {
  const { declarations } = document;
  const found = declarations.find((declaration) => declaration.kind === 'metric' && declaration.name === metric);
  if (found?.kind !== 'metric') {
    throw noDeclaration(
      'metric',
      metric,
      declarations.filter(({ kind }) => kind === 'metric'),
    );
  }
  if (found.broken || found.expression === undefined) throw brokenDeclaration(metric, found);
  const seed = { label: metric, metric, expression: found.expression };
  const name = `${metric}_evolved`;
  const search = declarations.find(isMetricSearch);
  if (search !== undefined) {
    const content = wholeContent(document, search);
    // The operands that the search lists are those of its own metrics.
    const operands = content.operands && operandsWith(content.operands, seed);
    return planOf(name, { ...content, from: [seed], ...(operands && { operands }) }, context);
  }
  return planFromEvaluation(name, document, seed, context);
}

/** Whether {@link searchPlansFor} gives a plan for it. */
export function isRunnable(document: CompiledDocument, search: SearchDeclaration): boolean {
  return !search.broken && defaultsOf(document)?.broken !== true;
}

/** A string that changes exactly when the plan of a runnable search does, the fallback and the folder aside. */
export function searchPlanKey(document: CompiledDocument, search: SearchDeclaration): string {
  const plan = runPlanOf(search.name, wholeContent(document, search), { folder: '/', prompts: NO_PROMPTS });
  return createHash('sha256').update(JSON.stringify(plan)).digest('hex');
}

/** What a search finds. */
export function searchKind({ content }: SearchDeclaration): RunKind {
  return SEARCH_METHODS[content.method ?? DEFAULT_SEARCH_METHOD].finds;
}

function isMetricSearch(declaration: Declaration): declaration is SearchDeclaration {
  return declaration.kind === 'search' && searchKind(declaration) === 'metrics';
}

/** Prompts decide no plan’s key: they are not the file’s. */
const NO_PROMPTS: PromptTemplates = { initialise: '', mutate: '', cross: '', again: '' };

/** What a search says, on top of the defaults. */
function wholeContent(document: CompiledDocument, search: SearchDeclaration): SearchContent {
  const defaults = defaultsOf(document);
  const broken = search.broken ? search : defaults?.broken === true ? defaults : undefined;
  if (broken !== undefined) throw brokenDeclaration(search.name, broken);
  const settings = mergedSettings(defaults?.content.settings, search.content.settings);
  return { ...defaults?.content, ...search.content, settings };
}

function runPlanOf(name: string, content: SearchContent, context: SearchPlanContext): RunPlan {
  const { folder, fallback = {}, prompts } = context;
  const kind = SEARCH_METHODS[content.method ?? DEFAULT_SEARCH_METHOD].finds;
  if (kind === 'metrics') return planOf(name, content, context);
  const common = {
    folder,
    settings: undecidingOf(SETTINGS, fallback.settings ?? {}),
    ...(fallback.search?.workers !== undefined && { workers: fallback.search.workers }),
    ...(fallback.llm && { llm: fallback.llm }),
  };
  if (kind === 'masks') return maskSearchPlan(name, content, common);
  if (prompts === undefined) throw missingInput(name, 'prompts for a language model');
  return rateSearchPlan(name, content, { ...common, prompts });
}

function planOf(name: string, content: SearchContent, { folder, fallback = {} }: SearchPlanContext): SearchPlan {
  const { model, evaluate, calibrate, test, at = [], from = [], baselines, operations = [] } = content;
  // A search that lacks them has an error of its own.
  if (model === undefined || evaluate === undefined) throw missingInput(name, 'a checkpoint and a text');
  const operands = searchOperands(content);
  return {
    kind: 'metrics',
    name,
    model: resolve(folder, model),
    text: resolve(folder, evaluate),
    ...(calibrate !== undefined && { calibration: resolve(folder, calibrate) }),
    ...(test !== undefined && { test: resolve(folder, test) }),
    sparsity: at[0] ?? DEFAULT_SPARSITY,
    operations: operations.length > 0 ? operations : DEFAULT_SEARCH_OPERATIONS,
    operands,
    seeds: from.map(namedMetric),
    baselines: baselines?.map(namedMetric) ?? defaultBaselines(operands),
    settings: { ...DEFAULT_SETTINGS, ...undecidingOf(SETTINGS, fallback.settings ?? {}), ...content.settings },
    search: {
      ...DEFAULT_SEARCH_SETTINGS,
      ...undecidingOf(SEARCH_SETTINGS, fallback.search ?? {}),
      ...content.search,
      method: content.method === 'random' ? 'random' : 'pruner-zero',
    },
  };
}

/** A search of a file without searches: on what the metric is evaluated on, at its first sparsity. */
function planFromEvaluation(
  name: string,
  document: CompiledDocument,
  seed: PrunedMetric & { metric: string },
  context: SearchPlanContext,
): SearchPlan {
  const { model, text, calibration, settings, evaluations } = plansFor(document, seed.metric, context)[0]!;
  const operands = searchOperands({ from: [seed] });
  if (calibration === undefined) throw missingInput(name, 'a text to calibrate on');
  return {
    kind: 'metrics',
    name,
    model,
    text,
    calibration,
    sparsity: evaluations[0]?.sparsity ?? DEFAULT_SPARSITY,
    operations: DEFAULT_SEARCH_OPERATIONS,
    operands,
    seeds: [namedMetric(seed)],
    baselines: defaultBaselines(operands),
    settings,
    search: { ...DEFAULT_SEARCH_SETTINGS, ...context.fallback?.search },
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

function noDeclaration(
  kind: 'search' | 'metric',
  name: string | undefined,
  others: readonly Declaration[],
): EspalierError {
  const names = others.map((declaration) => declaration.name);
  const near = name === undefined ? undefined : nearestName(name, names);
  const example =
    kind === 'search' ? 'search evolved { model: … evaluate: … calibrate: … }' : 'metric wanda = W * sqrt(X)';
  return new EspalierError({
    code: 'language/no-such-declaration',
    operation: name === undefined ? `looking for a ${kind}` : `looking for the ${kind} \`${name}\``,
    expected: names.length === 0 ? `a ${kind}` : `one of ${names.slice(0, 20).join(', ')}`,
    actual: name === undefined ? 'a file without one' : `no ${kind} of that name`,
    remedy:
      near !== undefined
        ? `Did you mean \`${near}\`?`
        : names.length > 0
          ? 'Check the name.'
          : `Declare one: \`${example}\`.`,
  });
}

function brokenDeclaration(name: string, { kind, name: at }: Declaration): EspalierError {
  return new EspalierError({
    code: 'language/errors',
    operation: `preparing the search \`${name}\``,
    expected: `${kind === 'defaults' ? '`defaults`' : `the ${kind} \`${at}\``} without errors`,
    actual: 'errors in it, or in what it uses',
    remedy: 'Mend what is underlined and try again.',
  });
}

function missingInput(name: string, what: string): EspalierError {
  return new EspalierError({
    code: 'settings/invalid',
    operation: `preparing the search \`${name}\``,
    expected: what,
    actual: 'none, in the file or in the settings',
    remedy: 'Write `defaults { model: … evaluate: … calibrate: … }` into the file, or a search that says them.',
  });
}
