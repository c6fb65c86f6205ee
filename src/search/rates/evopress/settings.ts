import type { SettingsOf, SettingTable } from '../../../experiment/settingRow.ts';
import { OBJECTIVE_SETTING, SEED_SETTING, WORKERS_SETTING } from '../../lifecycle/settings.ts';
import { FINALISTS_SETTING } from '../settings.ts';

/** The settings of a search by EvoPress; those by default are its authors' for unstructured sparsity, at blocks of 2048 tokens. */
export const EVOPRESS_SETTINGS = {
  method: {
    kind: 'choice',
    default: 'evopress',
    choices: ['evopress'],
    documentation:
      'evolves layer-wise pruning rates, or which layers go, from one parent by switches that keep the budget',
  },
  offspring: {
    kind: 'integer',
    default: 64,
    minimum: 1,
    maximum: 10_000,
    documentation: 'configurations of a generation, each the parent with a few switches (the paper’s λ)',
  },
  generations: {
    kind: 'integer',
    default: 400,
    minimum: 1,
    maximum: 100_000,
    documentation: 'generations, each of which leaves one parent',
  },
  rounds: {
    kind: 'list',
    default: [1, 8, 32],
    minimum: 1,
    maximum: 10_000_000,
    most: 16,
    documentation:
      'blocks of the fitness text (with `objective: tasks` documents) that each round of selection measures on, drawn anew in every generation; more than there are are all of them',
  },
  survivors: {
    kind: 'list',
    default: [8, 2, 1],
    minimum: 1,
    maximum: 10_000,
    most: 16,
    documentation:
      'configurations that each round of selection leaves, no more than came into it; the last one leaves the next parent',
  },
  switches: {
    kind: 'integer',
    default: 3,
    minimum: 1,
    maximum: 100,
    documentation: 'most switches of an offspring, which makes as many as the smaller of two draws from 1 to this says',
  },
  drop: {
    kind: 'choice',
    default: 'off',
    choices: ['off', 'sublayers'],
    documentation:
      'what a switch changes: the rates of two blocks, or with `sublayers` which attention and MLP layers go as a whole (depth pruning)',
  },
  step: {
    kind: 'number',
    default: 0.05,
    minimum: 0.001,
    maximum: 0.5,
    documentation: 'by how much a switch raises the rate of one block and lowers that of another',
  },
  starts: {
    kind: 'integer',
    default: 64,
    minimum: 1,
    maximum: 100_000,
    documentation:
      'random configurations from which the first parent is chosen, where layers are dropped; rates begin uniform',
  },
  objective: OBJECTIVE_SETTING,
  seed: SEED_SETTING,
  finalists: FINALISTS_SETTING,
  workers: WORKERS_SETTING,
} as const satisfies SettingTable;

export type EvoPressSettings = SettingsOf<typeof EVOPRESS_SETTINGS>;
