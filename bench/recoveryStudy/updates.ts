import { defaultsOf } from '../../src/experiment/settingRow.ts';
import { UPDATES } from '../../src/experiment/updates.ts';
import type { StructureUpdate, WeightUpdate } from '../../src/experiment/updates.ts';

/** With the settings of their papers. */
export const ADMM: WeightUpdate = { method: 'admm', ...defaultsOf(UPDATES.admm.settings) };
export const SPARSEGPT: WeightUpdate = { method: 'sparsegpt', ...defaultsOf(UPDATES.sparsegpt.settings) };
export const RECONSTRUCT: StructureUpdate = { method: 'reconstruct', ...defaultsOf(UPDATES.reconstruct.settings) };
