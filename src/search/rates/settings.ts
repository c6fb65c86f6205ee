import type { SettingRow } from '../../experiment/settingRow.ts';

/** Of every method that finds rates. */
export const FINALISTS_SETTING = {
  kind: 'integer',
  default: 3,
  minimum: 1,
  maximum: 1_000,
  documentation: 'best configurations that are evaluated at the end, on the test text too',
} as const satisfies SettingRow;
