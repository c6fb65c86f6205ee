import { defaultsOf } from '../../src/experiment/settingRow.ts';
import { DEFAULT_RECOVERY_SETTINGS, type Recovery } from '../../src/experiment/recovery.ts';
import { UPDATES } from '../../src/experiment/updates.ts';
import type { StructureUpdate, WeightUpdate } from '../../src/experiment/updates.ts';

/** With the settings of their papers. */
export const ADMM: WeightUpdate = { method: 'admm', ...defaultsOf(UPDATES.admm.settings) };
export const SPARSEGPT: WeightUpdate = { method: 'sparsegpt', ...defaultsOf(UPDATES.sparsegpt.settings) };
export const RECONSTRUCT: StructureUpdate = { method: 'reconstruct', ...defaultsOf(UPDATES.reconstruct.settings) };

/** A model of some million parameters takes a higher learning rate than those of the papers. */
export const LORA: Recovery = {
  method: 'lora',
  ...DEFAULT_RECOVERY_SETTINGS,
  ...{ rate: 0.003, warmup: 10, schedule: 'cosine', batch: 4, held: 16 },
};
