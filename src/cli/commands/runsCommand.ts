import { Command } from 'commander';
import { describeError } from '../../base/errors.ts';
import { formatPerplexity, formatShare } from '../../experiment/format.ts';
import { measuredText } from '../../search/lifecycle/fitnessText.ts';
import { plannedLength } from '../../search/kinds.ts';
import { runMethod } from '../../search/runMethod.ts';
import { parsePrefix } from '../../metric/parsePrefix.ts';
import { printInfix } from '../../metric/print.ts';
import { damageError } from '../../runs/journalReader.ts';
import { deleteRun, findRun, journalOf } from '../../runs/runFolder.ts';
import { changedTags, NOTES_FILE, readNotes, writeNotes } from '../../runs/runNotes.ts';
import type { RunNotes } from '../../runs/runNotes.ts';
import { listRuns, summariseRun } from '../../runs/runSummary.ts';
import type { BestSummary, RunSummary, UnreadableRun } from '../../runs/runSummary.ts';
import { collected, compareRunsCommand, TAG_FLAG } from './compareRunsCommand.ts';
import { JSON_FLAG, withExamples } from './commandContext.ts';
import type { CommandContext } from './commandContext.ts';
import { EXIT } from '../exitCode.ts';
import { printFailure } from '../reports/failure.ts';
import { protocolLines, storyOf } from '../reports/runReport.ts';
import { configurationText } from '../../search/rates/configuration.ts';
import { foldEvent } from '../../search/folds.ts';

interface RunsOptions {
  readonly json?: true;
}

interface ListOptions extends RunsOptions {
  readonly tag?: readonly string[];
}

export function runsCommand(context: CommandContext): Command {
  const { terminal, folder } = context;
  const list = new Command('list')
    .description('every run of this folder, the newest first')
    .option(...TAG_FLAG, collected)
    .option(...JSON_FLAG)
    .action(async ({ json, tag = [] }: ListOptions) => {
      const runs = (await listRuns(folder)).filter((run) => tag.every((each) => tagsOf(run).includes(each)));
      if (json) for (const run of runs) terminal.print(JSON.stringify(runJson(run)));
      else if (runs.length === 0)
        terminal.print(tag.length === 0 ? 'no runs here; `espalier evolve` begins one' : 'no run has this tag');
      else for (const line of runTable(runs)) terminal.print(line);
      if (!json) for (const run of runs) for (const line of troubleOf(run)) terminal.say(line);
      context.finish(EXIT.ok);
    });
  const show = new Command('show')
    .description('what a run has found')
    .argument('<run>', 'its id, or the beginning of it')
    .option(...JSON_FLAG)
    .action(async (id: string, { json }: RunsOptions) => {
      let summary = await summariseRun(await findRun(folder, id));
      const journal = journalOf(summary.run);
      const story = storyOf(summary.run, terminal);
      for await (const records of journal.more())
        for (const { event, at } of records) foldEvent(story.state, event, at);
      const { damage: found } = journal;
      const damage = found && damageError(journal.file, found).data;
      // The list looks at the end alone.
      if (damage && found.kind !== 'line-ends' && summary.state !== 'running') {
        summary = { ...summary, state: 'damaged', damage };
      }
      if (json) {
        const { state } = summary;
        const error = damage ?? summary.error;
        terminal.print(JSON.stringify({ ...runJson(summary), ...story.result(), state, ...(error && { error }) }));
      } else {
        for (const line of runTable([summary])) terminal.print(line);
        const { note, tags, problem } = summary.notes;
        for (const line of protocolLines(summary.run)) terminal.print(line);
        if (tags) terminal.print(`tags: ${tags.join(', ')}`);
        if (note !== undefined) terminal.print(`note: ${note}`);
        if (problem !== undefined) terminal.say(`its ${NOTES_FILE} is not read: ${problem}`);
        terminal.print('');
        for (const line of story.lines.final()) terminal.print(line);
        if (summary.error) for (const line of printFailure(summary.error, terminal.err)) terminal.say(line);
      }
      if (damage) {
        for (const line of printFailure(damage, terminal.err)) terminal.say(line);
        if (found.kind !== 'line-ends') terminal.say('what stands before it is shown');
      }
      context.finish(damage ? EXIT.failed : EXIT.ok);
    });
  const remove = new Command('delete')
    .description('delete a run for good')
    .argument('<run>', 'its id, or the beginning of it')
    .option(...JSON_FLAG)
    .action(async (id: string, { json }: RunsOptions) => {
      const found = await findRun(folder, id);
      await deleteRun(found, {
        signal: context.signal,
        onWait: (message) => {
          terminal.say(message);
        },
      });
      terminal.print(json ? JSON.stringify({ deleted: found }) : `deleted ${found}`);
      context.finish(EXIT.ok);
    });
  const name = noteCommand(context, 'name', 'call a run something; without a name it is called as its search again');
  const note = noteCommand(context, 'note', 'say something about a run; without a text nothing is said any more');
  const command = new Command('runs').description(
    'the searches and recoveries of this folder: list, show, compare, name, note, tag, delete',
  );
  for (const sub of [list, show, compareRunsCommand(context), name, note, tagCommand(context), remove])
    command.addCommand(sub, { isDefault: sub === list });
  return withExamples(command, [
    ['all of them', 'espalier runs'],
    ['what one has found', 'espalier runs show 20261122-1015'],
    ['all of them beside each other', 'espalier runs compare'],
    ['a name to find it by', 'espalier runs name 20261122-1015 "without gradients"'],
    [
      'those that can be resumed',
      `espalier runs list --json | jq -r 'select(.state | IN("paused", "interrupted", "failed")).id'`,
    ],
  ]);
}

/** Adds tags and takes others away. */
function tagCommand(context: CommandContext): Command {
  return (
    new Command('tag')
      .description('tag a run: `+word` adds, `-word` takes away; without any it says which it has')
      .argument('<run>', 'its id, or the beginning of it')
      .argument('[tags...]', '+word or word, -word')
      // What begins with a sign is a tag.
      .allowUnknownOption()
      .option(...JSON_FLAG)
      .action(async (id: string, tags: readonly string[], { json }: RunsOptions) => {
        const removed = tags.filter((tag) => tag.startsWith('-'));
        const added = tags.filter((tag) => !tag.startsWith('-'));
        const change = (notes: RunNotes): RunNotes => ({
          ...notes,
          tags: changedTags(notes.tags ?? [], added, removed),
        });
        const { called, notes } = await noted(context, id, tags.length === 0 ? (before) => before : change);
        const words = notes.tags ? `${called}: ${notes.tags.join(', ')}` : `${called} has no tags`;
        context.terminal.print(json ? JSON.stringify({ id: called, notes }) : words);
        context.finish(EXIT.ok);
      })
  );
}

/** Changes what is said of a run. */
async function noted(
  context: CommandContext,
  id: string,
  change: (notes: RunNotes) => RunNotes,
): Promise<{ readonly called: string; readonly notes: RunNotes }> {
  const { folder, id: called, notes } = await summariseRun(await findRun(context.folder, id));
  const { problem, ...known } = notes;
  const changed = change(known);
  if (changed === known) return { called, notes: known };
  if (problem !== undefined) context.terminal.say(`its ${NOTES_FILE} was not read (${problem}) and is replaced`);
  await writeNotes(folder, changed);
  return { called, notes: await readNotes(folder) };
}

/** Sets one of the two and leaves the other. */
function noteCommand(context: CommandContext, what: 'name' | 'note', description: string): Command {
  return new Command(what)
    .description(description)
    .argument('<run>', 'its id, or the beginning of it')
    .argument('[text]', 'one line', '')
    .option(...JSON_FLAG)
    .action(async (id: string, text: string, { json }: RunsOptions) => {
      const { called, notes: now } = await noted(context, id, (known) => ({ ...known, [what]: text }));
      const words = now[what] === undefined ? `${called} has no ${what} any more` : `${called}: ${now[what]}`;
      context.terminal.print(json ? JSON.stringify({ id: called, notes: now }) : words);
      context.finish(EXIT.ok);
    });
}

function tagsOf(run: RunSummary | UnreadableRun): readonly string[] {
  return 'run' in run ? (run.notes.tags ?? []) : [];
}

function runJson(run: RunSummary | UnreadableRun): object {
  if (!('run' in run)) return { ...run, state: 'unreadable' };
  const { id, folder, state, generation, counts, best, lastAt, notes } = run;
  const error = run.damage ?? run.error;
  const { plan, createdAt, document } = run.run.record;
  return {
    id,
    folder,
    name: plan.name,
    method: runMethod(plan).name,
    ...(document !== undefined && { document }),
    state,
    createdAt,
    lastAt: new Date(lastAt).toISOString(),
    generation: generation ?? null,
    kind: plan.kind,
    ...(plan.protocol !== undefined && { protocol: plan.protocol }),
    generations: plannedLength(plan),
    best: best?.kind === 'metric' ? { ...best, metric: infix(best.expression) } : (best ?? null),
    counts: counts ?? null,
    ...(error && { error }),
    ...(Object.keys(notes).length > 0 && { notes }),
  };
}

type Cells = readonly [
  id: string,
  name: string,
  state: string,
  method: string,
  generation: string,
  best: string,
  metric: string,
];

/** A column of names where any run has one. */
function runTable(runs: readonly (RunSummary | UnreadableRun)[]): readonly string[] {
  const width = Math.max('run'.length, ...runs.map(({ id }) => id.length));
  const names = runs.map((run) => ('run' in run ? (run.notes.name ?? '') : ''));
  const nameWidth = Math.max(...names.map(({ length }) => length));
  const named = (name: string): string[] => (nameWidth === 0 ? [] : [name.padEnd(Math.max(nameWidth, 'name'.length))]);
  const cells = (...[id, name, state, method, generation, best, metric]: Cells): string =>
    [
      id.padEnd(width),
      ...named(name),
      state.padEnd(11),
      method.padEnd(15),
      generation.padStart(12),
      best.padStart(9),
      metric,
    ]
      .join('  ')
      .trimEnd();
  return [
    cells('run', 'name', 'state', 'method', 'generation', 'best', 'what it is'),
    ...runs.map((run, i) => {
      if (!('run' in run)) return cells(run.id, '', 'unreadable', '', '', '', run.error.actual);
      const { plan } = run.run.record;
      return cells(
        run.id,
        names[i]!,
        run.state,
        runMethod(plan).name,
        `${doneOf(run)} / ${plannedLength(plan)}`,
        (run.best && measuredText(run.best)) ?? '–',
        run.best ? bestText(run.best) : '',
      );
    }),
  ];
}

/** What stands in the way of reading a run, or of going on with it, in full: the table has no room for it. */
function troubleOf(run: RunSummary | UnreadableRun): readonly string[] {
  const error = 'run' in run ? run.damage : run.error;
  return error ? [`${run.id}: ${describeError(error)}`] : [];
}

/** Generations, iterations or steps that are done. The first configurations of a search for rates are no iteration. */
function doneOf({ generation, run: { record: run } }: RunSummary): number {
  if (generation === undefined) return 0;
  return run.plan.kind === 'rates' ? generation : generation + 1;
}

function bestText(best: BestSummary): string {
  switch (best.kind) {
    case 'metric':
      return infix(best.expression);
    case 'rates':
      return `rates ${configurationText(best, (rates) => rates.map((rate) => rate.toFixed(2)).join(' '))}`;
    case 'masks':
      return `masks without ${formatShare(best.removed)} of the blocks`;
    case 'recovery':
      return `${best.before === null ? '' : `${formatPerplexity(best.before)} before, `}after ${best.step} steps`;
  }
}

function infix(prefix: string): string {
  return printInfix(parsePrefix(prefix));
}
