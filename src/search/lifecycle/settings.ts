import type { SettingRow } from '../../experiment/settingRow.ts';

/** Rows that every kind of search has. */

export const OBJECTIVE_SETTING = {
  kind: 'choice',
  default: 'perplexity',
  choices: ['perplexity', 'kl', 'tasks'],
  isLater: true,
  documentation:
    'what makes a candidate good: a low perplexity, a low mean KL divergence of its next-token distributions from the dense model’s (EvoPress’s default), or that it answers `tasks`: a low cross-entropy of their choices with the right ones',
} as const satisfies SettingRow;

export const SEED_SETTING = {
  kind: 'integer',
  default: 0,
  minimum: 0,
  maximum: Number.MAX_SAFE_INTEGER,
  documentation: 'seed of everything random in the search',
} as const satisfies SettingRow;
export const WORKERS_SETTING = {
  kind: 'integer',
  default: 1,
  minimum: 1,
  maximum: 256,
  decidesResult: false,
  documentation: 'processes that evaluate; the CPU threads are divided among them',
} as const satisfies SettingRow;
