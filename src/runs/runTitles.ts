import { plainLine } from '../base/plainText.ts';
import { byTelling, factsOf } from '../search/comparison/facts.ts';
import type { RunPlan } from '../search/kinds.ts';
import type { RunNotes } from './runNotes.ts';

/** What a run is called where runs stand beside each other. */
export interface RunTitle {
  /** The name that somebody gave it; else that of its search, with a number where several runs are of one search. */
  readonly title: string;
  /** What tells it from the other runs of its search: `seed 1`, `population 100`. The name of the search where the title is another. */
  readonly details: readonly string[];
}

interface Titled {
  /** Sorts by time. */
  readonly id: string;
  readonly plan: RunPlan;
  readonly notes: RunNotes;
}

/** Titles of the runs of one workspace folder, by id. Runs of one search are numbered from the oldest on. */
export function runTitles(runs: readonly Titled[]): ReadonlyMap<string, RunTitle> {
  const bySearch = new Map<string, Titled[]>();
  for (const run of [...runs].sort((a, b) => (a.id < b.id ? -1 : 1))) {
    const group = bySearch.get(run.plan.name) ?? [];
    bySearch.set(run.plan.name, group);
    group.push(run);
  }
  const titles = new Map<string, RunTitle>();
  for (const [search, group] of bySearch) {
    const differing = differences(group.map(({ plan }) => plan));
    for (const [i, { id, notes }] of group.entries()) {
      const counted = plainLine(group.length > 1 ? `${search} (${i + 1})` : search);
      const details = notes.name === undefined ? differing[i]! : [counted, ...differing[i]!];
      titles.set(id, { title: notes.name ?? counted, details });
    }
  }
  return titles;
}

/** For each plan what it says where the plans say different things: `seed 1`, the most telling first. */
export function differences(plans: readonly RunPlan[]): readonly (readonly string[])[] {
  const facts = plans.map(factsOf);
  const names = [...new Set(facts.flatMap((each) => [...each.keys()]))];
  const differing = names.filter((name) => new Set(facts.map((each) => each.get(name)?.text ?? '')).size > 1);
  return facts.map((each) => byTelling(differing).map((name) => `${name} ${each.get(name)?.text ?? '–'}`));
}
