import type { LlmSettings, PromptTemplates } from './llm.ts';
import { SEED_SETTING, WORKERS_SETTING } from '../lifecycle/settings.ts';
import type { NamedMetric } from '../metrics/plan.ts';
import { defaultsOf } from '../../experiment/settingRow.ts';
import type { SettingsOf, SettingTable } from '../../experiment/settingRow.ts';
import type { EvaluationSettings } from '../../experiment/settings.ts';
import type { UnstructuredSparsity } from '../../experiment/sparsitySchema.ts';
import type { RateAllocation, StructureScore } from '../../experiment/structureSchema.ts';

/** Everything that decides what a search for layer-wise pruning rates finds (Self-Pruner). */
export interface RateSearchPlan {
  readonly kind: 'rates';
  readonly name: string;
  /** Checkpoint folder, absolute. */
  readonly model: string;
  /** Text whose perplexity is the fitness, absolute path. */
  readonly text: string;
  readonly calibration?: string;
  /** Text that the search never sees: its best rates and the baselines are evaluated there at the end. */
  readonly test?: string;
  /** Mean of the rates. */
  readonly sparsity: UnstructuredSparsity;
  /** What the rates say how much to remove of. */
  readonly target: RateTarget;
  /** Rates that the search is compared with. */
  readonly baselines: readonly NamedRates[];
  readonly settings: EvaluationSettings;
  readonly search: RateSearchSettings;
  readonly llm: LlmSettings;
  readonly prompts: PromptTemplates;
}

export type RateTarget =
  | { readonly kind: 'structure'; readonly name: string; readonly score: StructureScore }
  | ({ readonly kind: 'weights' } & NamedMetric);

export interface NamedRates {
  readonly name: string;
  readonly rates: RateAllocation;
}

/** Who does it; `off` leaves it out (an initialisation that is off is random). */
export type OperatorChoice = 'llm' | 'classical' | 'off';

const OPERATOR = { kind: 'choice', default: 'llm' } as const;

/** The settings of a search for rates. */
export const RATE_SEARCH_SETTINGS = {
  method: {
    kind: 'choice',
    default: 'self-pruner',
    choices: ['self-pruner'],
    documentation: 'evolves layer-wise pruning rates, with a language model or with classical operators',
  },
  population: {
    kind: 'integer',
    default: 30,
    minimum: 2,
    maximum: 10_000,
    documentation: 'configurations of rates that are kept (the paper’s K)',
  },
  mutations: {
    kind: 'integer',
    default: 10,
    minimum: 0,
    maximum: 10_000,
    documentation: 'mutated configurations of an iteration (the paper’s M)',
  },
  crossovers: {
    kind: 'integer',
    default: 10,
    minimum: 0,
    maximum: 10_000,
    documentation: 'crossed-over configurations of an iteration (the paper’s S)',
  },
  generations: {
    kind: 'integer',
    default: 20,
    minimum: 1,
    maximum: 100_000,
    documentation: 'iterations (the paper’s N)',
  },
  seed: SEED_SETTING,
  initialise: {
    ...OPERATOR,
    choices: ['llm', 'classical', 'off'],
    documentation:
      'who makes the first configurations: the language model, or spread around uniform and OWL; `off` draws them at random',
  },
  mutate: {
    ...OPERATOR,
    choices: ['llm', 'classical', 'off'],
    documentation: 'who mutates: the language model, or Gaussian steps; `off` leaves mutation out',
  },
  cross: {
    ...OPERATOR,
    choices: ['llm', 'classical', 'off'],
    documentation: 'who crosses two configurations over: the language model, or a blend; `off` leaves crossover out',
  },
  step: {
    kind: 'number',
    default: 0.05,
    minimum: 0.0001,
    maximum: 0.5,
    documentation: 'standard deviation of a classical mutation, in rates',
  },
  spread: {
    kind: 'number',
    default: 0.1,
    minimum: 0,
    maximum: 0.5,
    documentation: 'standard deviation of the first configurations around the sparsity, in rates',
  },
  finalists: {
    kind: 'integer',
    default: 3,
    minimum: 1,
    maximum: 1_000,
    documentation: 'best configurations that are evaluated at the end, on the test text too',
  },
  workers: WORKERS_SETTING,
} as const satisfies SettingTable;

export type RateSearchSettings = SettingsOf<typeof RATE_SEARCH_SETTINGS>;
export type RateSearchSettingName = keyof RateSearchSettings;
export const DEFAULT_RATE_SEARCH_SETTINGS: RateSearchSettings = defaultsOf(RATE_SEARCH_SETTINGS);
