import { defaultsOf } from './settingRow.ts';
import type { SettingsOf, SettingTable } from './settingRow.ts';

/** What is trained after pruning, each with what completion and hover say of it. */
export const RECOVERY_METHODS = {
  lora: {
    title: 'LoRA',
    documentation:
      'LoRA (Hu et al. 2022): beside each linear weight a product of two thin matrices is trained, W + (alpha / rank) · B · A; nothing else changes.',
  },
  norms: {
    title: 'Norms and biases',
    documentation:
      'The norms and biases that the model has are trained, and nothing else: cheap, and often half the gain.',
  },
} as const;

export type RecoveryMethod = keyof typeof RECOVERY_METHODS;
export const RECOVERY_METHOD_NAMES = Object.keys(RECOVERY_METHODS) as readonly RecoveryMethod[];

/** The settings of a recovery: arguments of `recover: lora (steps: 300)`, flags of `espalier recover`. */
export const RECOVERY_SETTINGS = {
  steps: { kind: 'integer', default: 300, minimum: 1, maximum: 1_000_000, documentation: 'steps of the optimiser' },
  rate: {
    kind: 'number',
    default: 1e-4,
    minimum: 1e-12,
    maximum: 10,
    documentation: 'learning rate of Adam (papers: 1e-4)',
  },
  schedule: {
    kind: 'choice',
    default: 'constant',
    choices: ['constant', 'cosine'],
    documentation: 'how the learning rate goes on after the warm-up: as it is, or down to 0 along half a cosine',
  },
  warmup: {
    kind: 'integer',
    default: 0,
    minimum: 0,
    maximum: 1_000_000,
    documentation: 'first steps, in which the learning rate grows linearly',
  },
  batch: { kind: 'integer', default: 8, minimum: 1, maximum: 65_536, documentation: 'sequences of a step' },
  length: {
    kind: 'integer',
    default: 0,
    minimum: 2,
    maximum: 1_048_576,
    orZero: true,
    documentation: 'tokens of a sequence; 0 takes as many as a calibration sample has',
  },
  rank: {
    kind: 'integer',
    default: 8,
    minimum: 1,
    maximum: 4096,
    documentation: 'of LoRA: rows of A and columns of B (papers: 8)',
  },
  alpha: {
    kind: 'number',
    default: 16,
    minimum: 1e-6,
    maximum: 1e6,
    documentation: 'of LoRA: the product counts alpha / rank times (papers: 16)',
  },
  targets: {
    kind: 'choice',
    default: 'all',
    choices: ['all', 'attention', 'qv'],
    documentation:
      'of LoRA: all linear layers of the blocks, those of the attention, or its query and value projections (Wanda’s code)',
  },
  loss: {
    kind: 'choice',
    default: 'everything',
    choices: ['everything', 'reply'],
    documentation: 'of instruction pairs: the loss is taken on all tokens, or on those of the reply',
  },
  masked: {
    kind: 'choice',
    default: 'on',
    choices: ['on', 'off'],
    documentation: 'of LoRA: whether weights that are zero before stay zero when the adapter is merged',
  },
  every: {
    kind: 'integer',
    default: 20,
    minimum: 1,
    maximum: 1_000_000,
    documentation: 'steps between looks at the held-out text; the best is kept',
  },
  patience: {
    kind: 'integer',
    default: 5,
    minimum: 0,
    maximum: 1_000_000,
    documentation: 'looks without a better one after which training ends early; 0 never',
  },
  held: {
    kind: 'integer',
    default: 32,
    minimum: 1,
    maximum: 65_536,
    documentation: 'sequences that are held out; from the end of the training text where none is named for it',
  },
  seed: {
    kind: 'integer',
    default: 0,
    minimum: 0,
    maximum: Number.MAX_SAFE_INTEGER,
    documentation: 'seed of the adapter that training begins with',
  },
} as const satisfies SettingTable;

/** Why training ended. */
export const STOP_REASONS = ['steps', 'patience', 'not-finite', 'diverged'] as const;

export type RecoverySettings = SettingsOf<typeof RECOVERY_SETTINGS>;
export type RecoverySettingName = keyof RecoverySettings;
export const RECOVERY_SETTING_NAMES = Object.keys(RECOVERY_SETTINGS) as readonly RecoverySettingName[];
export const DEFAULT_RECOVERY_SETTINGS: RecoverySettings = defaultsOf(RECOVERY_SETTINGS);

export type Recovery = { readonly method: RecoveryMethod } & RecoverySettings;

export function isRecoveryMethod(text: string): text is RecoveryMethod {
  return Object.hasOwn(RECOVERY_METHODS, text);
}

/** `lora (steps: 500)`: as a `.prune` file says it; settings at their defaults are left out. Equal where two train the same. */
export function recoveryText({ method, ...settings }: Recovery): string {
  const said = RECOVERY_SETTING_NAMES.filter((name) => settings[name] !== DEFAULT_RECOVERY_SETTINGS[name]).map(
    (name) => `${name}: ${settings[name]}`,
  );
  return said.length === 0 ? method : `${method} (${said.join(', ')})`;
}
