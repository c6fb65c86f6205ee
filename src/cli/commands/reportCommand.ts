import { stat } from 'node:fs/promises';
import path from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { EspalierError } from '../../base/errors.ts';
import type { EvaluationPlan } from '../../experiment/planSchema.ts';
import { plansFor } from '../../language/plan/plan.ts';
import { EvaluationStore } from '../../runs/evaluationStore.ts';
import { createRecord } from '../../runs/evaluationRecord.ts';
import { findRun, runIds, RUNS_FOLDER } from '../../runs/runFolder.ts';
import { checkReportFolder, writeReport } from '../../report/writeReport.ts';
import { keptOf, readReportedRun, reportedRecord } from '../../report/readReported.ts';
import type { Reported, ReportedEvaluation, ReportedRun } from '../../report/reported.ts';
import { REPORT_FORMATS, reportFiles } from '../../report/reportFiles.ts';
import type { ReportFormat } from '../../report/reportFiles.ts';
import { EXIT } from '../exitCode.ts';
import { located } from '../flags/hubFlags.ts';
import { compileFile } from '../flags/pruneFile.ts';
import { humanReport, jsonReport } from '../reports/evaluationReport.ts';
import { evaluatePlans } from './evaluatePlans.ts';
import { collect, JSON_FLAG, usageError, withExamples } from './commandContext.ts';
import type { CommandContext } from './commandContext.ts';

interface ReportCommandOptions {
  readonly to: string;
  readonly experiment?: readonly string[];
  readonly format: readonly ReportFormat[];
  readonly title?: string;
  readonly second?: true;
  readonly evaluate?: true;
  readonly json?: true;
}

export function reportCommand(context: CommandContext): Command {
  const command = new Command('report')
    .description('tables, figures and references of runs and evaluations, for a paper and for git')
    .argument(
      '[what...]',
      'runs, by their ids or the beginnings of them, and .prune files; without any, all that is kept here',
    )
    .requiredOption('--to <folder>', 'folder of the report: not there yet, empty, or with a report to be replaced')
    .option('--experiment <name>', 'of the .prune files: this experiment alone; may be repeated', collect)
    .option('--format <list>', `some of ${REPORT_FORMATS.join(', ')}`, readFormats, REPORT_FORMATS)
    .option('--title <text>', 'what the report is called')
    .option('--second', 'underline the second of each column')
    .option('--evaluate', 'evaluate what the experiments list and nobody has evaluated yet')
    .option(...JSON_FLAG)
    .action(async (what: readonly string[], options: ReportCommandOptions) => {
      const { terminal } = context;
      const to = path.resolve(context.folder, options.to);
      await checkReportFolder(to);
      const reported = await read(what, options, context);
      if (reported.evaluations.length === 0 && reported.runs.length === 0) throw nothingError(reported);
      const { format: formats, second = false, title = path.basename(to) } = options;
      const written = await writeReport(
        to,
        reportFiles(reported, { formats, second, title }, { folder: to, root: context.folder }),
      );
      for (const sentence of reported.missing) terminal.say(`not in the report: ${sentence}`);
      if (options.json) terminal.print(JSON.stringify({ folder: to, files: written, missing: reported.missing }));
      else {
        const counts = `${reported.runs.length} runs, ${reported.evaluations.length} evaluations`;
        terminal.print(`${written.length} files in ${to} (${counts})`);
        for (const name of written) terminal.print(`  ${name}`);
      }
      context.finish(EXIT.ok);
    });
  return withExamples(command, [
    ['all that is kept in this folder', 'espalier report --to report'],
    [
      'one experiment of a file, what is missing evaluated first',
      'espalier report metrics.prune --experiment halves --evaluate --to report',
    ],
    [
      'three runs of one search, LaTeX and figures alone',
      'espalier report 20261122-1015 20261122-1130 20261122-1240 --to paper/tables --format latex,pdf,bib',
    ],
    ['every number again', 'espalier evaluate report/repeat.prune'],
  ]);
}

async function read(
  what: readonly string[],
  options: ReportCommandOptions,
  context: CommandContext,
): Promise<Reported> {
  const { folder, terminal } = context;
  const files = what.filter((name) => name.endsWith('.prune'));
  const runs: ReportedRun[] = [];
  const evaluations: ReportedEvaluation[] = [];
  const missing: string[] = [];
  if (options.experiment && files.length === 0)
    throw usageError('a .prune file with --experiment', 'none', 'Name the file.');
  for (const name of what.filter((one) => !files.includes(one))) {
    runs.push(await readReportedRun(await runFolderOf(name, folder)));
  }
  const store = new EvaluationStore(folder, (message) => {
    terminal.say(message);
  });
  if (what.length === 0) {
    evaluations.push(...(await store.load()).map((record) => reportedRecord(record, folder)));
    for (const id of await runIds(folder)) runs.push(await readReportedRun(path.join(folder, RUNS_FOLDER, id)));
  }
  for (const file of files) {
    const { path: document, document: compiled } = await compileFile(file, context);
    const targets = options.experiment ?? [undefined];
    for (const target of targets)
      for (const planned of plansFor(compiled, target, { folder: path.dirname(document) })) {
        const plan = await located(planned, {}, context);
        if (options.evaluate) await evaluateMissing(plan, document, store, options, context);
        const found = keptOf(plan, await store.load(), folder);
        evaluations.push(...found.kept);
        missing.push(...found.missing.map((name) => `${name}, of ${file}: nobody has evaluated it here`));
      }
  }
  return { evaluations, runs, missing };
}

/** A run by its id, or by its folder. */
async function runFolderOf(name: string, folder: string): Promise<string> {
  const resolved = path.resolve(folder, name);
  const isFolder =
    /[\\/]/.test(name) &&
    (await stat(resolved).then(
      (found) => found.isDirectory(),
      () => false,
    ));
  return isFolder ? resolved : findRun(folder, name);
}

/** Evaluates what is not kept yet, and keeps it as the editor does. */
async function evaluateMissing(
  plan: EvaluationPlan,
  document: string,
  store: EvaluationStore,
  { json }: ReportCommandOptions,
  context: CommandContext,
): Promise<void> {
  const records = await store.load();
  const evaluations = plan.evaluations.filter(
    (one) => keptOf({ ...plan, evaluations: [one] }, records, context.folder).kept.length === 0,
  );
  if (plan.evaluations.length > 0 && evaluations.length === 0) return;
  const report = json ? jsonReport(context.terminal) : humanReport(context.terminal);
  const saved: Promise<string>[] = [];
  await evaluatePlans(
    [{ ...plan, evaluations }],
    {
      ...report,
      result: (result, documents) => {
        report.result(result, documents);
        saved.push(store.save(createRecord(plan, result, { root: context.folder, document, savedAt: new Date() })));
      },
    },
    context,
  );
  await Promise.all(saved);
}

function readFormats(text: string): readonly ReportFormat[] {
  const formats = text.split(',').map((name) => name.trim());
  const unknown = formats.find((name) => !(REPORT_FORMATS as readonly string[]).includes(name));
  if (unknown !== undefined) throw new InvalidArgumentError(`It takes some of ${REPORT_FORMATS.join(', ')}.`);
  return formats as readonly ReportFormat[];
}

function nothingError({ missing }: Reported): EspalierError {
  return new EspalierError({
    code: 'report/nothing',
    operation: 'making a report',
    expected: 'runs, or evaluations that are kept',
    actual: missing.length === 0 ? 'neither' : `none of the ${missing.length} evaluations that are asked for`,
    remedy: 'Evaluate first: `espalier report FILE.prune --evaluate --to FOLDER`, or in the editor.',
  });
}
