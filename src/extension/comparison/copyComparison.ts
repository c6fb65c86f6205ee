import * as vscode from 'vscode';
import type { ComparedRun } from '../../search/comparison/comparedRun.ts';
import { comparisonTable } from '../../search/comparison/comparisonTable.ts';
import type { Pinned } from '../../search/comparison/pinned.ts';
import { comparisonAsCsv, comparisonAsMarkdown } from '../../search/comparison/printComparison.ts';
import { counted } from '../../experiment/format.ts';

const PRINT = { markdown: comparisonAsMarkdown, csv: comparisonAsCsv };
const NAMES = { markdown: 'Markdown', csv: 'CSV' };

/** The rows that a page shows, in their order, with every column. */
export async function copyComparison(
  runs: readonly ComparedRun[],
  pinned: Pinned | undefined,
  format: keyof typeof PRINT,
): Promise<void> {
  await vscode.env.clipboard.writeText(PRINT[format](comparisonTable(runs, pinned)));
  vscode.window.setStatusBarMessage(`${counted(runs.length, 'run')} copied as ${NAMES[format]}`, 4000);
}
