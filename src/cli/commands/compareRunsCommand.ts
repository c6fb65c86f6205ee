import { Command, Option } from 'commander';
import { EspalierError } from '../../base/errors.ts';
import { comparisonTable } from '../../search/comparison/comparisonTable.ts';
import type { ComparisonTable } from '../../search/comparison/comparisonTable.ts';
import type { Pinned } from '../../search/comparison/pinned.ts';
import { comparisonAsCsv, comparisonAsMarkdown } from '../../search/comparison/printComparison.ts';
import type { ComparedRun } from '../../search/comparison/comparedRun.ts';
import { ComparedRuns } from '../../runs/comparedRuns.ts';
import { findRun, openRun, runIds, runName, RUNS_FOLDER } from '../../runs/runFolder.ts';
import type { RunFolder } from '../../runs/runFolder.ts';
import { readNotes } from '../../runs/runNotes.ts';
import { runTitles } from '../../runs/runTitles.ts';
import path from 'node:path';
import { EXIT } from '../exitCode.ts';
import { comparisonLines } from '../reports/comparisonReport.ts';
import { JSON_FLAG, withExamples } from './commandContext.ts';
import type { CommandContext } from './commandContext.ts';

interface CompareOptions {
  readonly json?: true;
  readonly markdown?: true;
  readonly csv?: true;
  readonly to?: string;
  readonly tag?: readonly string[];
}

export const TAG_FLAG = ['--tag <tag>', 'only runs with this tag; may be repeated'] as const;
export function collected(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}

export function compareRunsCommand(context: CommandContext): Command {
  const { terminal, folder } = context;
  const command = new Command('compare')
    .description('runs beside each other: best, work, time, and in which settings they differ')
    .argument('[run...]', 'their ids, or the beginnings of them; without any all runs of this folder')
    .option('--to <what>', 'compare the best with that of this run, or with this baseline of each run')
    .option(...TAG_FLAG, collected)
    .option(...JSON_FLAG)
    .addOption(new Option('--markdown', 'as a table for Markdown').conflicts(['json', 'csv']))
    .addOption(new Option('--csv', 'as comma-separated values, with all digits').conflicts(['json', 'markdown']))
    .action(async (ids: readonly string[], { json, markdown, csv, to, tag = [] }: CompareOptions) => {
      const asked = ids.length > 0 ? ids : [...(await runIds(folder))].reverse();
      const folders = await Promise.all(asked.map((id) => findRun(folder, id)));
      const opened = await Promise.all([...new Set(folders)].map(openRun));
      const runs = (await readBesideEachOther(opened)).filter(({ tags }) => tag.every((each) => tags.includes(each)));
      const table = comparisonTable(runs, to === undefined ? undefined : await pinnedBy(to, runs, folder));
      if (json) for (const run of runs) terminal.print(JSON.stringify(comparedJson(run, table)));
      else if (runs.length === 0) terminal.print('no runs to compare');
      else if (markdown) terminal.print(comparisonAsMarkdown(table).trimEnd());
      else if (csv) terminal.print(comparisonAsCsv(table).trimEnd());
      else for (const line of comparisonLines(table)) terminal.print(line);
      for (const { id, trouble } of runs) if (trouble !== undefined) terminal.say(`${id}: ${trouble}`);
      context.finish(EXIT.ok);
    });
  return withExamples(command, [
    ['all of this folder', 'espalier runs compare'],
    ['two, against the first', 'espalier runs compare 20261122-1015 20261122-1104 --to 20261122-1015'],
    ['those with a tag, for a paper’s repository', 'espalier runs compare --tag ablation --markdown > runs.md'],
  ]);
}

async function readBesideEachOther(runs: readonly RunFolder[]): Promise<readonly ComparedRun[]> {
  const noted = await Promise.all(
    runs.map(async (run) => ({ id: runName(run), plan: run.record.plan, notes: await readNotes(run.folder) })),
  );
  const titles = runTitles(noted);
  return new ComparedRuns().read(runs, (run) => titles.get(runName(run))?.title ?? runName(run));
}

/** @throws EspalierError `settings/invalid` for what is neither a run among these nor a baseline of theirs */
async function pinnedBy(to: string, runs: readonly ComparedRun[], folder: string): Promise<Pinned> {
  const names = [...new Set(runs.flatMap(({ baselines }) => baselines.map(({ name }) => name)))];
  if (names.includes(to)) return { kind: 'baseline', name: to };
  const meant = (await runIds(folder))
    .filter((id) => id.startsWith(to))
    .map((id) => path.join(folder, RUNS_FOLDER, id));
  const [found, ...others] = runs.filter((run) => meant.includes(run.folder));
  if (found && others.length === 0) return { kind: 'run', folder: found.folder };
  throw new EspalierError({
    code: 'settings/invalid',
    operation: 'reading --to',
    expected: 'the id of one of the compared runs, or a baseline of theirs',
    actual: JSON.stringify(to),
    remedy: names.length === 0 ? 'Give the id of a run.' : `Their baselines are ${names.join(', ')}.`,
  });
}

/** Facts in words, and the best so far as it came, so that anybody can draw it. */
function comparedJson(run: ComparedRun, table: ComparisonTable): object {
  const {
    folder,
    id,
    title,
    kind,
    method,
    tags,
    note,
    state,
    seed,
    fitness,
    curve,
    found,
    baselines,
    evaluated,
    test,
  } = run;
  const against = table.rows.find((row) => row.run === run)?.cells['pinned'];
  return {
    ...{ id, folder, title, kind, method, state, seed, tags },
    ...(note !== undefined && { note }),
    fitness: { ...fitness.of, dense: fitness.dense },
    best: curve.points.at(-1)?.fitness ?? null,
    ...(against?.value !== undefined && { toPinned: against.value }),
    ...(against?.value === undefined && against?.why !== undefined && { notComparable: against.why }),
    ...{ found, evaluated, test, baselines },
    curve: curve.points,
    end: curve.end,
    settings: Object.fromEntries(Object.entries(run.facts).map(([name, { text, value }]) => [name, value ?? text])),
  };
}
