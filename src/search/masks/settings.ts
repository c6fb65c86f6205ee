import { defaultsOf } from '../../experiment/settingRow.ts';
import type { SettingsOf, SettingTable } from '../../experiment/settingRow.ts';
import { OBJECTIVE_SETTING, SEED_SETTING, WORKERS_SETTING } from '../lifecycle/settings.ts';

/** The settings of a search for masks. */
export const MASK_SEARCH_SETTINGS = {
  method: {
    kind: 'choice',
    default: 'policy-gradient',
    choices: ['policy-gradient'],
    documentation: 'learns which heads and channels to keep from the losses of random masks, without back-propagation',
  },
  steps: {
    kind: 'integer',
    default: 1000,
    minimum: 1,
    maximum: 100_000_000,
    documentation: 'updates of the keep-probabilities',
  },
  masks: {
    kind: 'integer',
    default: 2,
    minimum: 1,
    maximum: 1024,
    documentation: 'masks that are drawn in a step (the paper’s K)',
  },
  batch: {
    kind: 'integer',
    default: 8,
    minimum: 1,
    maximum: 65_536,
    documentation: 'sequences of a step, or documents with `objective: tasks`',
  },
  tokens: {
    kind: 'integer',
    default: 128,
    minimum: 2,
    maximum: 1_048_576,
    documentation: 'tokens of such a sequence',
  },
  rate: {
    kind: 'number',
    default: 0.002,
    minimum: 1e-9,
    maximum: 100,
    documentation: 'learning rate of the keep-probabilities',
  },
  decay: {
    kind: 'choice',
    default: 'cosine',
    choices: ['cosine', 'none'],
    documentation: 'whether the learning rate falls to 0 along a cosine',
  },
  centre: {
    kind: 'choice',
    default: 'average',
    choices: ['average', 'step', 'authors'],
    documentation:
      'what losses are compared with: the moving average of the steps before (the paper), the mean of the step’s own masks, which saw the same batch (`step`, which needs two masks at least), or an average with the step itself in it, as the authors’ code has it',
  },
  window: {
    kind: 'integer',
    default: 5,
    minimum: 1,
    maximum: 1_000_000,
    documentation: 'steps that the moving average of the loss looks back, which losses are compared with',
  },
  initial: {
    kind: 'choice',
    default: 'metric',
    choices: ['constant', 'random', 'metric'],
    documentation: 'keep-probabilities at the beginning: all alike, random, or from a score',
  },
  map: {
    kind: 'choice',
    default: 'sigmoid',
    choices: ['sigmoid', 'min-max', 'authors'],
    documentation:
      'how scores become probabilities; `authors` is the sigmoid of the authors’ code, shifted to the share that is kept',
  },
  budget: {
    kind: 'choice',
    default: 'global',
    choices: ['global', 'layer', 'at-most'],
    documentation:
      'whether the share that is kept holds for the whole model or for each block; `at-most` is that of the whole model, and probabilities are never raised to it (the authors’ code)',
  },
  components: {
    kind: 'choice',
    default: 'heads-channels',
    choices: ['heads-channels', 'heads-channels-layers', 'layers'],
    documentation: 'what may go: groups of heads and channels, whole blocks too, or whole blocks alone',
  },
  result: {
    kind: 'choice',
    default: 'best',
    choices: ['best', 'last'],
    isLater: true,
    documentation: 'which probabilities it ends with: those that did best on the fitness text, or the last ones',
  },
  objective: OBJECTIVE_SETTING,
  seed: { ...SEED_SETTING, documentation: 'seed of masks and batches' },
  checkpoints: {
    kind: 'integer',
    default: 20,
    minimum: 1,
    maximum: 10_000,
    documentation: 'times that the probabilities are kept and the best masks by them evaluated, evenly over the steps',
  },
  workers: {
    ...WORKERS_SETTING,
    documentation: 'processes that evaluate; the masks of a step are divided among them',
  },
} as const satisfies SettingTable;

export type MaskSearchSettings = SettingsOf<typeof MASK_SEARCH_SETTINGS>;
export type MaskSearchSettingName = keyof MaskSearchSettings;
export const DEFAULT_MASK_SEARCH_SETTINGS: MaskSearchSettings = defaultsOf(MASK_SEARCH_SETTINGS);
