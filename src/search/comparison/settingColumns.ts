import type { ComparedRun } from './comparedRun.ts';
import { byTelling } from './facts.ts';

/** What the plans of runs say differently, and what all of them say. */
export interface SettingColumns {
  /** Names of settings, those that most runs have first. */
  readonly differing: readonly string[];
  /** Of every run, and the same for all. */
  readonly equal: readonly { readonly name: string; readonly text: string }[];
}

/** In columns of their own. */
const OWN = new Set(['kind', 'seed', 'method']);

export function settingColumns(runs: readonly ComparedRun[]): SettingColumns {
  const names = byTelling([...new Set(runs.flatMap(({ facts }) => Object.keys(facts)))]).filter(
    (name) => !OWN.has(name),
  );
  const textsOf = (name: string): ReadonlySet<string | undefined> =>
    new Set(runs.map(({ facts }) => facts[name]?.text));
  const countOf = (name: string): number => runs.filter(({ facts }) => facts[name] !== undefined).length;
  const differing = names.filter((name) => textsOf(name).size > 1);
  const equal = names.filter((name) => textsOf(name).size === 1);
  return {
    differing: differing.sort((a, b) => countOf(b) - countOf(a)),
    equal: equal.map((name) => ({ name, text: runs[0]!.facts[name]!.text })),
  };
}
