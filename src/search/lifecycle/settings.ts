import type { SettingRow } from '../../experiment/settingRow.ts';

/** Rows that every kind of search has. */

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
