import { defaultsOf } from '../../../experiment/settingRow.ts';
import type { SettingsOf, SettingTable } from '../../../experiment/settingRow.ts';
import { OBJECTIVE_SETTING, SEED_SETTING, WORKERS_SETTING } from '../../lifecycle/settings.ts';
import { FINALISTS_SETTING } from '../settings.ts';

/** Who does it; `off` leaves it out (an initialisation that is off is random). */
export type OperatorChoice = 'llm' | 'classical' | 'off';

const OPERATOR = { kind: 'choice', default: 'llm' } as const;

/** The settings of a search for rates. */
export const SELF_PRUNER_SETTINGS = {
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
  objective: OBJECTIVE_SETTING,
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
  finalists: FINALISTS_SETTING,
  workers: WORKERS_SETTING,
} as const satisfies SettingTable;

export type SelfPrunerSettings = SettingsOf<typeof SELF_PRUNER_SETTINGS>;
export type SelfPrunerSettingName = keyof SelfPrunerSettings;
export const DEFAULT_SELF_PRUNER_SETTINGS: SelfPrunerSettings = defaultsOf(SELF_PRUNER_SETTINGS);
