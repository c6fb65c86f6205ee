import { resolve } from 'node:path';
import { DEFAULT_LLM_SETTINGS } from '../../search/rates/llm.ts';
import type { LlmSettings, PromptTemplates } from '../../search/rates/llm.ts';
import { checkEndpoint } from '../../search/rates/llmEndpoint.ts';
import { DEFAULT_MASK_SEARCH_SETTINGS } from '../../search/masks/plan.ts';
import type { MaskSearchPlan, NamedStructure } from '../../search/masks/plan.ts';
import { needsCalibration } from '../../experiment/planned.ts';
import { DEFAULT_RATE_SEARCH_SETTINGS } from '../../search/rates/plan.ts';
import type { NamedRates, RateSearchPlan, RateTarget } from '../../search/rates/plan.ts';
import type { NamedMetric } from '../../search/metrics/plan.ts';
import { maskSearchConflict } from '../../search/conflict.ts';
import { DEFAULT_SETTINGS } from '../../experiment/settings.ts';
import type { EvaluationSettings } from '../../experiment/settings.ts';
import { printSparsity } from '../../experiment/sparsity.ts';
import type { Sparsity, UnstructuredSparsity } from '../../experiment/sparsitySchema.ts';
import { OWL, UNIFORM } from '../../experiment/structure.ts';
import { ratesName, structureName } from '../../experiment/structureNames.ts';
import { defaultStructureBaselines } from '../../search/masks/baselines.ts';
import { DEFAULT_RATE_BASELINES } from '../../search/rates/baselines.ts';
import { usageError } from '../commands/commandContext.ts';
import type { MethodOverrides } from './searchFlags.ts';
import { conflictError } from './searchPlans.ts';
import { parseRates, parseScore, requireComponents, requireRatesFor } from './structureFlags.ts';

/** What the flags of `espalier search` say of a search for rates or masks, settings apart. Paths and metrics are as typed. */
export interface StructureSearchFlags {
  readonly model?: string;
  readonly text?: string;
  readonly calibration?: string;
  readonly test?: string;
  readonly sparsity?: Sparsity;
  readonly target?: string;
  readonly score?: string;
  readonly baseline?: readonly string[];
  readonly overrides: MethodOverrides;
}

/** What a search works on, where no declaration of a file says it: as far as it is known. */
export interface SearchInputs {
  readonly model?: string;
  readonly text?: string;
  readonly calibration?: string;
  readonly sparsity?: UnstructuredSparsity;
  readonly settings: EvaluationSettings;
}

/** What flags and metrics are read with. */
export interface FlagContext {
  /** What relative paths start from. */
  readonly folder: string;
  /** Of the file, by their names. */
  readonly metrics: readonly NamedMetric[];
}

export const NO_INPUTS: SearchInputs = { settings: DEFAULT_SETTINGS };

/** @param declared the plan of a search of a file, which the flags are laid over; without one what there is to work on */
export async function rateSearchOfFlags(
  declared: RateSearchPlan | SearchInputs,
  prompts: PromptTemplates,
  flags: StructureSearchFlags,
  context: FlagContext,
): Promise<RateSearchPlan> {
  const base = 'kind' in declared ? declared : undefined;
  const { search, llm } = flags.overrides;
  const plan: RateSearchPlan = {
    kind: 'rates',
    name: base?.name ?? 'search',
    ...inputsOf(declared, flags, context),
    target: await targetOf(flags.target, base?.target, context),
    baselines: flags.baseline?.map(parseNamedRates) ?? base?.baselines ?? DEFAULT_RATE_BASELINES,
    search: { ...DEFAULT_RATE_SEARCH_SETTINGS, ...base?.search, ...search },
    llm: { ...DEFAULT_LLM_SETTINGS, ...base?.llm, ...llm },
    prompts,
  };
  checkLlm(plan.llm, Object.keys(llm)[0]);
  const scored = (rates: NamedRates['rates']): boolean =>
    needsCalibration(
      plan.target.kind === 'weights'
        ? { metric: '', expression: plan.target.expression, sparsity: plan.sparsity, rates }
        : { metric: '', structure: { kind: 'scored', score: plan.target.score, rates }, sparsity: plan.sparsity },
    );
  // OWL is among the first configurations, unless these are drawn at random.
  const needed =
    scored(UNIFORM) || plan.search.initialise !== 'off' || plan.baselines.some(({ rates }) => scored(rates));
  if (plan.calibration === undefined && needed) throw noCalibration();
  return plan;
}

export async function maskSearchOfFlags(
  declared: MaskSearchPlan | SearchInputs,
  flags: StructureSearchFlags,
  context: FlagContext,
): Promise<MaskSearchPlan> {
  const base = 'kind' in declared ? declared : undefined;
  const { calibration, ...inputs } = inputsOf(declared, flags, context);
  if (calibration === undefined) throw noCalibration();
  const { metrics, folder } = context;
  const score = flags.score === undefined ? undefined : await parseScore(flags.score, metrics, folder);
  if (score) requireComponents('--score', score);
  const search = { ...DEFAULT_MASK_SEARCH_SETTINGS, ...base?.search, ...flags.overrides.search };
  const conflict = maskSearchConflict(search);
  if (conflict) throw conflictError(conflict);
  const ranked = score?.score ?? base?.score ?? { kind: 'method', method: 'wanda-sp' };
  return {
    kind: 'masks',
    name: base?.name ?? 'search',
    ...inputs,
    calibration,
    score: ranked,
    baselines: flags.baseline
      ? await Promise.all(flags.baseline.map((text) => namedStructure(text, context)))
      : score === undefined && base
        ? base.baselines
        : defaultStructureBaselines(ranked, score?.name ?? 'wanda-sp'),
    search,
  };
}

function inputsOf(
  base: SearchInputs & { readonly test?: string },
  flags: StructureSearchFlags,
  { folder }: FlagContext,
) {
  const path = (flag: string | undefined, known: string | undefined): string | undefined =>
    flag === undefined ? known : resolve(folder, flag);
  const model = path(flags.model, base.model);
  const text = path(flags.text, base.text);
  const calibration = path(flags.calibration, base.calibration);
  const test = path(flags.test, base.test);
  if (model === undefined) throw missing('--model', 'a checkpoint folder');
  if (text === undefined) throw missing('--text', 'the text whose perplexity is the fitness');
  if (test !== undefined && (test === text || test === calibration)) {
    throw usageError(
      '--test with a text that the search never sees',
      test === text ? 'the one that its fitness is taken on' : 'the one that it calibrates on',
      'Name another text.',
    );
  }
  return {
    model,
    text,
    ...(calibration !== undefined && { calibration }),
    ...(test !== undefined && { test }),
    sparsity: flags.sparsity === undefined ? (base.sparsity ?? HALF) : shareOf(flags.sparsity),
    settings: { ...base.settings, ...flags.overrides.settings },
  };
}

const HALF: UnstructuredSparsity = { kind: 'unstructured', share: 0.5 };

function shareOf(sparsity: Sparsity): UnstructuredSparsity {
  if (sparsity.kind === 'unstructured') return sparsity;
  throw usageError('--sparsity with a share of the weights', printSparsity(sparsity), 'N:M is of metrics: write 30%.');
}

/** `wanda-sp`, `mine`, `weights(wanda)`: as in a file. */
async function targetOf(
  text: string | undefined,
  known: RateTarget | undefined,
  { metrics, folder }: FlagContext,
): Promise<RateTarget> {
  if (text === undefined) return known ?? { kind: 'structure', ...(await parseScore('wanda-sp', [], folder)) };
  const weights = /^\s*weights\s*\(([^]*)\)\s*$/.exec(text)?.[1];
  const { name, score } = await parseScore(weights ?? text, metrics, folder);
  if (weights === undefined) {
    requireComponents('--target', { name, score });
    return { kind: 'structure', name, score };
  }
  if (score.kind === 'metric') return { kind: 'weights', metric: name, expression: score.expression };
  const method = metrics.find(({ metric }) => metric === name);
  if (method) return { kind: 'weights', ...method };
  throw usageError('a metric of single weights in weights(…)', name, 'Write a metric: weights(W * sqrt(X)).');
}

/** `uniform`, `owl`, or a list with one rate for each block. */
function parseNamedRates(text: string): NamedRates {
  const name = text.trim();
  if (name === 'uniform') return { name, rates: UNIFORM };
  if (name === 'owl') return { name, rates: OWL };
  const rates = { kind: 'given', rates: parseList(name) } as const;
  return { name: ratesName(rates), rates };
}

function parseList(text: string): readonly number[] {
  try {
    return parseRates(text.replace(/^\[([^]*)\]$/, '$1'));
  } catch {
    const remedy = 'Write uniform, owl, or one rate for each block: 0.2,0.4.';
    throw usageError('--baseline with rates', JSON.stringify(text), remedy);
  }
}

/** `wanda-sp`, `mine`, `structure(flap, global)`, `structure(mine, [0.2, 0.4])`: as in a file. */
async function namedStructure(text: string, { metrics, folder }: FlagContext): Promise<NamedStructure> {
  const clause = /^\s*structure\s*\(([^]*)\)\s*$/.exec(text)?.[1];
  const [, of, how = 'uniform'] = /^([^]*),\s*([\w-]+|\[[^[\]]*\])\s*$/.exec(clause ?? '') ?? [];
  const { name, score } = await parseScore(of ?? clause ?? text, metrics, folder);
  const rates = how === 'global' ? ({ kind: how } as const) : parseNamedRates(how).rates;
  requireRatesFor(score, rates);
  return { name: structureName(score, name, rates), structure: { kind: 'scored', score, rates } };
}

/** What would fail only when the first question is asked is said before. @param flag of the language model, where one was given */
function checkLlm({ provider, endpoint, llm, replay }: LlmSettings, flag: string | undefined): void {
  checkEndpoint(endpoint);
  if (provider === 'none' && flag !== undefined) {
    throw usageError('--provider with settings of a language model', 'none', 'Add --provider openai, for example.');
  }
  if (provider === 'openai' && llm.trim() === '') {
    throw usageError('--llm with the name of a language model', 'no --llm', 'Add it: --llm qwen3:8b.');
  }
  if (provider === 'replay' && replay.trim() === '') {
    throw usageError('--replay with the id of a run', 'no --replay', '`espalier runs` lists them.');
  }
  if (provider === 'vscode') {
    const remedy = 'Run this search in the editor, or name an endpoint: --provider openai.';
    throw usageError('a language model that the command line can reach', 'that of the editor', remedy);
  }
}

function noCalibration(): Error {
  return usageError(
    '--calibration with a text to calibrate on',
    'no --calibration',
    'Add it: components are scored and batches are drawn from it.',
  );
}

function missing(flag: string, what: string): Error {
  return usageError(
    `${flag} with ${what}`,
    `no ${flag}`,
    'Add it, or name a .prune file that says it; `espalier search --help` shows both.',
  );
}
