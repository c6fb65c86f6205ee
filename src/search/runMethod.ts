import type { SaidSettings, SettingTable } from '../experiment/settingRow.ts';
import { RECOVERY_METHODS, RECOVERY_SETTINGS } from '../experiment/recovery.ts';
import type { RecoveryMethod } from '../experiment/recovery.ts';
import type { Sparsity } from '../experiment/sparsitySchema.ts';
import type { RunPlan, SearchMethod } from './kinds.ts';
import { SEARCH_METHODS } from './methods.ts';

/** How a run goes about it: a way to search, or what is trained. */
export interface RunMethod {
  readonly name: SearchMethod | RecoveryMethod;
  /** What it is called for a person. */
  readonly title: string;
  /** What it is set with, and how it is set. */
  readonly table: SettingTable;
  readonly settings: SaidSettings;
  readonly seed: number;
}

export function runMethod(plan: RunPlan): RunMethod {
  if (plan.kind === 'recovery') {
    const { method: name, seed } = plan.recovery;
    return { name, title: RECOVERY_METHODS[name].title, table: RECOVERY_SETTINGS, settings: plan.recovery, seed };
  }
  const { method: name, seed } = plan.search;
  const { title, settings: table } = SEARCH_METHODS[name];
  return { name, title, table, settings: plan.search, seed };
}

/** How much goes; undefined for a recovery that prunes nothing. */
export function runSparsity(plan: RunPlan): Sparsity | undefined {
  return plan.kind === 'recovery' ? plan.evaluation?.sparsity : plan.sparsity;
}
