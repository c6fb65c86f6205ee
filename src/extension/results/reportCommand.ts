import path from 'node:path';
import * as vscode from 'vscode';
import { EvaluationStore } from '../../runs/evaluationStore.ts';
import type { RunFolder } from '../../runs/runFolder.ts';
import { readReportedRun, reportedRecord } from '../../report/readReported.ts';
import { REPORT_FORMATS, reportFiles } from '../../report/reportFiles.ts';
import { writeReport } from '../../report/writeReport.ts';
import { tellInformation } from '../messages.ts';

/**
 * Asks where to, and writes a report there: of these runs, or of every evaluation that is kept in a workspace folder.
 *
 * @param root workspace folder
 * @throws EspalierError as `readReportedRun` and `writeReport`
 */
export async function saveReport(
  root: string,
  runs: readonly RunFolder[],
  log: (message: string) => void,
): Promise<void> {
  const chosen = await vscode.window.showSaveDialog({
    title: 'Report: a folder that is not there yet, or an earlier report',
    saveLabel: 'Write Report',
    defaultUri: vscode.Uri.file(path.join(root, 'report')),
  });
  if (!chosen) return;
  const folder = chosen.fsPath;
  const read = await Promise.all(runs.map((run) => readReportedRun(run.folder)));
  const records = runs.length > 0 ? [] : await new EvaluationStore(root, log).load();
  const evaluations = records.map((record) => reportedRecord(record, root));
  if (evaluations.length + read.length === 0) {
    await tellInformation('There is nothing to report yet: evaluate a metric, or finish a search.');
    return;
  }
  const options = { formats: REPORT_FORMATS, second: false, title: path.basename(folder) };
  await writeReport(folder, reportFiles({ evaluations, runs: read, missing: [] }, options, { folder, root }));
  const shown = await tellInformation(`Report written to ${vscode.workspace.asRelativePath(chosen)}.`, 'Open');
  if (shown) await vscode.commands.executeCommand('vscode.open', vscode.Uri.file(path.join(folder, 'report.md')));
}
