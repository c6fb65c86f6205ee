import type { Table } from './document.ts';
import { everyEvaluation } from './reported.ts';
import type { Reported, ReportedEvaluation } from './reported.ts';
import { conditionOf, groupedBy } from './seeds.ts';
import { methodTable } from './tables/methodTable.ts';
import { perplexityTable } from './tables/perplexityTable.ts';
import { filesTable, provenanceTable } from './tables/provenanceTable.ts';
import { finalistTable, searchTable, settingsTable } from './tables/runTables.ts';
import { structureTable } from './tables/structureTable.ts';
import { taskTable } from './tables/taskTable.ts';

/** Every table of a report, in the order in which they are read. Unlike numbers (another text, other settings) never share one. @param root workspace folder */
export function reportTables(reported: Reported, second: boolean, root: string): readonly Table[] {
  const { evaluations, runs } = reported;
  const conditions = groupedBy(evaluations, conditionOf);
  const ofEach = (
    kind: string,
    make: (
      group: readonly ReportedEvaluation[],
      options: { readonly id: string; readonly second: boolean },
    ) => Table | undefined,
  ): readonly (Table | undefined)[] => {
    const made = conditions.filter((group) => make(group, { id: '', second }) !== undefined);
    return made.map((group, i) => make(group, { id: made.length === 1 ? kind : `${kind}-${i + 1}`, second }));
  };
  const tables = [
    ...ofEach('perplexity', perplexityTable),
    ...ofEach('structures', structureTable),
    ...ofEach('tasks', taskTable),
    ...runs.map((run, i) => finalistTable(run, { id: `run-${i + 1}`, second })),
    searchTable(runs),
    settingsTable(runs),
    methodTable(everyEvaluation(reported)),
    provenanceTable(everyEvaluation(reported)),
    filesTable(everyEvaluation(reported), root),
  ];
  return tables.filter((table) => table !== undefined);
}
