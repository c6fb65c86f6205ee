import { defaultsOf } from '../../experiment/settingRow.ts';
import type { SettingsOf, SettingTable } from '../../experiment/settingRow.ts';
import { OBJECTIVE_SETTING, SEED_SETTING, WORKERS_SETTING } from '../lifecycle/settings.ts';

/** The settings of a search for metrics. */
export const METRIC_SEARCH_SETTINGS = {
  method: {
    kind: 'choice',
    default: 'pruner-zero',
    choices: ['pruner-zero', 'random'],
    documentation: 'genetic programming, or random trees with the same budget',
  },
  population: {
    kind: 'integer',
    default: 50,
    minimum: 2,
    maximum: 10_000,
    documentation: 'metrics in a generation',
  },
  generations: {
    kind: 'integer',
    default: 20,
    minimum: 1,
    maximum: 100_000,
    documentation: 'generations, the first one included',
  },
  budget: {
    kind: 'number',
    default: 0,
    minimum: 0,
    maximum: 1e9,
    documentation:
      'evaluations after which no generation is begun, in units of the whole fitness text (a metric stopped after a quarter of it counts 0.25); 0 sets no limit',
  },
  evolution: {
    kind: 'choice',
    default: 'generational',
    choices: ['generational', 'steady-state'],
    isLater: true,
    documentation:
      'generation by generation, or whenever a worker is free, which leaves none idle: what is found then depends on the order of the answers, so that two runs with several workers may differ (one that is resumed does not)',
  },
  objective: OBJECTIVE_SETTING,
  seed: SEED_SETTING,
  tournament: {
    kind: 'integer',
    default: 7,
    minimum: 1,
    maximum: 1_000,
    documentation: 'metrics that are drawn to choose one parent, the best of them',
  },
  elites: {
    kind: 'integer',
    default: 5,
    minimum: 0,
    maximum: 1_000,
    documentation: 'best metrics that stay in the population as they are',
  },
  crossover: {
    kind: 'number',
    default: 0.5,
    minimum: 0,
    maximum: 1,
    documentation: 'share of the offspring that comes from two parents',
  },
  mutation: {
    kind: 'number',
    default: 0.4,
    minimum: 0,
    maximum: 1,
    documentation: 'share of the offspring that is one parent with a change; what is left over is new random trees',
  },
  constants: {
    kind: 'choice',
    default: 'none',
    choices: ['none', 'exponents', 'all'],
    isLater: true,
    documentation: 'numbers that metrics may have: none, exponents (`X ^ 0.4`), or factors in sums too (`W + 0.3 * X`)',
  },
  proposals: {
    kind: 'number',
    default: 0,
    minimum: 0,
    maximum: 1,
    isLater: true,
    documentation:
      'share of a generation that a language model proposes, at most 50 metrics of it; the rest, and what of it is of no use, comes of variation',
  },
  depth: {
    kind: 'integer',
    default: 6,
    minimum: 2,
    maximum: 32,
    documentation: 'deepest tree that variation may make (random trees have a depth of 2 to 4)',
  },
  size: {
    kind: 'integer',
    default: 24,
    minimum: 3,
    maximum: 500,
    documentation: 'most operations and operands in a tree',
  },
  parsimony: {
    kind: 'number',
    default: 0,
    minimum: 0,
    maximum: 1,
    documentation: 'what one more node costs in the choice of parents, in nats of loss',
  },
  rungs: {
    kind: 'integer',
    default: 3,
    minimum: 1,
    maximum: 8,
    documentation: 'stages of evaluation: poor metrics are stopped after a part of the text; 1 evaluates all in full',
  },
  keep: {
    kind: 'integer',
    default: 3,
    minimum: 2,
    maximum: 16,
    documentation: 'one metric in this many goes on to the next stage, which has this many times the text',
  },
  sharing: {
    kind: 'choice',
    default: 'on',
    choices: ['on', 'off'],
    decidesResult: false,
    documentation: 'metrics with the same ranking share one evaluation',
  },
  finalists: {
    kind: 'integer',
    default: 5,
    minimum: 1,
    maximum: 1_000,
    documentation:
      'best metrics that are evaluated again at the end, calibrated as the settings say, and on the test text',
  },
  workers: WORKERS_SETTING,
} as const satisfies SettingTable;

export type MetricSearchSettings = SettingsOf<typeof METRIC_SEARCH_SETTINGS>;
export type MetricSearchSettingName = keyof MetricSearchSettings;
export const DEFAULT_METRIC_SEARCH_SETTINGS: MetricSearchSettings = defaultsOf(METRIC_SEARCH_SETTINGS);

/** Whether a language model proposes some of the metrics: random search is what all others are compared with. */
export function takesProposals({ method, proposals }: Pick<MetricSearchSettings, 'method' | 'proposals'>): boolean {
  return method !== 'random' && proposals > 0;
}
