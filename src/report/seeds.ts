import { canonicalJson } from '../base/canonicalJson.ts';
import type { RunPlan } from '../search/kinds.ts';
import { runMethod } from '../search/runMethod.ts';
import type { ReportedEvaluation, ReportedRun } from './reported.ts';

/** Mean and spread of what differs only in its seed. */
export interface Spread {
  readonly mean: number;
  /** Standard deviation with n − 1; undefined of a single value. */
  readonly deviation: number | undefined;
  readonly n: number;
}

export function spreadOf(values: readonly number[]): Spread {
  const n = values.length;
  const mean = values.reduce((sum, value) => sum + value, 0) / n;
  if (n < 2) return { mean: values[0] ?? NaN, deviation: undefined, n };
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, deviation: Math.sqrt(squares / (n - 1)), n };
}

/** Of an evaluation the seed that its calibration samples were drawn with. */
export function seedOf({ inputs }: ReportedEvaluation): number {
  return inputs.settings.seed;
}

/** Equal exactly where two evaluations are of the same model, texts, settings, machine and program, whatever their seeds. */
export function conditionOf({ inputs, tasks, result }: ReportedEvaluation): string {
  const { settings, ...rest } = inputs;
  const { provenance } = result;
  const { modelHash, textHash, device, precision, versions } = provenance;
  const deciding = { ...settings, seed: null, threads: null, device, precision };
  // Calibration matters to those alone that took samples: they say so themselves.
  return canonicalJson({
    ...rest,
    settings: deciding,
    tasks: tasks ?? null,
    modelHash,
    textHash: textHash ?? null,
    versions,
  });
}

/** Equal exactly where two runs were asked the same, whatever their seeds and names. */
export function questionOf({ plan }: Pick<ReportedRun, 'plan'>): string {
  return canonicalJson(withoutSeeds(plan));
}

/** Seeds of a run: its own, and that of its samples where that is another. */
export function runSeed({ plan }: Pick<ReportedRun, 'plan'>): string {
  const { seed } = runMethod(plan);
  return plan.settings.seed === 0 ? String(seed) : `${seed}/${plan.settings.seed}`;
}

function withoutSeeds(plan: RunPlan): object {
  const settings = { ...plan.settings, seed: null, threads: null };
  const same = { name: null, settings };
  if (plan.kind === 'recovery') return { ...plan, ...same, recovery: { ...plan.recovery, seed: null } };
  return { ...plan, ...same, search: { ...plan.search, seed: null, workers: null } };
}

/** In groups by a key, in the order in which each came first. */
export function groupedBy<Item>(items: readonly Item[], key: (item: Item) => string): readonly (readonly Item[])[] {
  const groups = new Map<string, Item[]>();
  for (const item of items) {
    const name = key(item);
    const group = groups.get(name) ?? [];
    groups.set(name, group);
    group.push(item);
  }
  return [...groups.values()];
}
