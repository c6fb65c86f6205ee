import type { EvaluationRecord } from '../runs/evaluationRecord.ts';
import { latexTable } from './formats/latexTable.ts';
import { bibtex } from './references/bibtex.ts';
import { reportedRecord } from './readReported.ts';
import { citedIn } from './reportFiles.ts';
import { reportTables } from './reportTables.ts';
import type { Table } from './document.ts';

/** Kept evaluations as the tables of a paper: perplexities, what is left, tasks; without where they come from. */
export function recordsAsLatex(records: readonly EvaluationRecord[], root: string): string {
  return tablesOf(records, root).map(latexTable).join('\n');
}

/** What these tables cite. */
export function recordsAsBibtex(records: readonly EvaluationRecord[], root: string): string {
  return bibtex(citedIn(tablesOf(records, root)));
}

function tablesOf(records: readonly EvaluationRecord[], root: string): readonly Table[] {
  const evaluations = records.map((record) => reportedRecord(record, root));
  return reportTables({ evaluations, runs: [], missing: [] }, false, root).filter(({ id }) => !BESIDE.has(id));
}

const BESIDE: ReadonlySet<string> = new Set(['fingerprints', 'files']);
