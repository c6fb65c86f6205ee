import type { SettingTable } from '../../src/experiment/settingRow.ts';

/** Settings that are lists, for tests that put them into the tables of searches for rates and for masks. */
export const LIST_ROWS = {
  survivors: {
    kind: 'list',
    default: [8, 2, 1],
    minimum: 1,
    maximum: 1024,
    most: 4,
    documentation: 'configurations that survive each stage',
  },
} as const satisfies SettingTable;

/** Called as a number is that searches for masks have. */
export const LIST_OF_TOKENS = {
  tokens: {
    kind: 'list',
    default: [2048, 16_384],
    minimum: 2,
    maximum: 1_048_576,
    most: 16,
    documentation: 'tokens that each stage measures on',
  },
} as const satisfies SettingTable;
