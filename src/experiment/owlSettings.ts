import type { SettingTable } from './settingRow.ts';
import { OWL } from './structure.ts';

/** The settings of OWL's rates, as flags and arguments: `--owl-multiple 7`, `owl(multiple: 7)`. */
export const OWL_SETTINGS = {
  multiple: {
    kind: 'number',
    default: OWL.multiple,
    minimum: 0.001,
    maximum: 1e6,
    documentation: 'scores count as outliers above this many times their mean',
  },
  spread: {
    kind: 'number',
    default: OWL.spread,
    minimum: 0,
    maximum: 0.5,
    documentation: 'how far the rates of the blocks lie apart: half their range',
  },
} as const satisfies SettingTable;

export type OwlSettingName = keyof typeof OWL_SETTINGS;
export const OWL_SETTING_NAMES = Object.keys(OWL_SETTINGS) as readonly OwlSettingName[];
