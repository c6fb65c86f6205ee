import { lstat } from 'node:fs/promises';
import path from 'node:path';
import { plainLine } from '../../base/plainText.ts';
import { toErrorData } from '../../base/errors.ts';
import type { MetricSearchPlan } from '../../search/metrics/plan.ts';
import { SETTINGS } from '../../experiment/settings.ts';
import { JOURNAL_FILE, RUN_FILE, runIds, RUNS_FOLDER } from '../../runs/runFolder.ts';
import type { RunFolder } from '../../runs/runFolder.ts';
import { isRunning } from '../../runs/runLock.ts';
import { NOTES_FILE } from '../../runs/runNotes.ts';
import { listedRun } from '../../runs/runSummary.ts';
import type { RunSummary, UnreadableRun } from '../../runs/runSummary.ts';
import { runTitles } from '../../runs/runTitles.ts';
import type { RunTitle } from '../../runs/runTitles.ts';
import type { Clock } from '../../base/clock.ts';
import { decidingNames } from '../../experiment/settingRow.ts';

export type ListedRun = RunSummary | UnreadableRun;

export interface RunLibraryOptions {
  /** Workspace folders, absolute. */
  readonly roots: () => readonly string[];
  readonly clock: Clock;
  readonly onChange: () => void;
}

/** Milliseconds from a change to the next reading, so that a burst of them is read once. */
const DELAY = 500;

interface Known {
  /** What a run's files look like from outside: they are read again when that changes. */
  readonly look: string;
  readonly run: ListedRun;
}

/** The runs of all workspace folders, newest first. */
export class RunLibrary {
  private readonly options: RunLibraryOptions;
  private readonly known = new Map<string, Known>();
  private withdraw: (() => void) | undefined;
  private reading: Promise<void> | undefined;
  private list: readonly ListedRun[] = [];
  private titles: ReadonlyMap<string, RunTitle> = new Map();
  private loaded = false;

  constructor(options: RunLibraryOptions) {
    this.options = options;
  }

  get runs(): readonly ListedRun[] {
    return this.list;
  }

  /** False until the folders were looked at for the first time. */
  get isLoaded(): boolean {
    return this.loaded;
  }

  find(folder: string): ListedRun | undefined {
    return this.list.find((run) => run.folder === folder);
  }

  /** What a run is called beside the others of its folder; its search's name until they are known. */
  titleOf({ folder, record: run }: RunFolder): RunTitle {
    return this.titles.get(folder) ?? { title: plainLine(run.plan.name), details: [] };
  }

  /** What somebody said of a run. */
  noteOf(folder: string): string | undefined {
    const listed = this.find(folder);
    return listed && isReadable(listed) ? listed.notes.note : undefined;
  }

  /** The newest run that random search makes of the same plan. */
  randomBeside(plan: MetricSearchPlan): RunSummary | undefined {
    const wanted = planKey(plan);
    return this.list.find((run): run is RunSummary => {
      if (!isReadable(run)) return false;
      const other = run.run.record.plan;
      return other.kind === 'metrics' && other.search.method === 'random' && planKey(other) === wanted;
    });
  }

  /** Looks again, soon. */
  refresh(): void {
    this.withdraw ??= this.options.clock.after(DELAY, () => {
      this.withdraw = undefined;
      void this.load();
    });
  }

  /** Looks again, now. */
  async load(): Promise<void> {
    while (this.reading) await this.reading;
    this.reading = this.read().finally(() => {
      this.reading = undefined;
    });
    await this.reading;
  }

  dispose(): void {
    this.withdraw?.();
  }

  private async read(): Promise<void> {
    const list: ListedRun[] = [];
    for (const root of this.options.roots()) list.push(...(await this.runsOf(root)));
    const folders = new Set(list.map(({ folder }) => folder));
    for (const folder of this.known.keys()) if (!folders.has(folder)) this.known.delete(folder);
    list.sort((a, b) => (a.id < b.id ? 1 : a.id > b.id ? -1 : 0));
    const isNew = !this.loaded || list.length !== this.list.length || list.some((run, i) => run !== this.list[i]);
    this.list = list;
    this.titles = titlesOf(list);
    this.loaded = true;
    if (isNew) this.options.onChange();
  }

  /** Runs that cannot be listed do not hide those of other workspace folders. */
  private async runsOf(root: string): Promise<readonly ListedRun[]> {
    const folder = path.join(root, RUNS_FOLDER);
    let ids: readonly string[];
    try {
      ids = await runIds(root);
    } catch (thrown) {
      const error = toErrorData(thrown, `listing the runs in ${folder}`);
      const all = await this.readNew(folder, JSON.stringify(error), () =>
        Promise.resolve({ id: RUNS_FOLDER, folder, error }),
      );
      return all ? [all] : [];
    }
    const list: ListedRun[] = [];
    for (const id of ids) {
      const each = path.join(folder, id);
      const run = await this.readNew(each, await lookOf(each), () => listedRun(each));
      if (run) list.push(run);
    }
    return list;
  }

  /** Reads what is new or has changed; the others stay the same objects. */
  private async readNew(
    folder: string,
    look: string,
    read: () => Promise<ListedRun | undefined>,
  ): Promise<ListedRun | undefined> {
    const known = this.known.get(folder);
    if (known?.look === look) return known.run;
    const run = await read();
    if (run) this.known.set(folder, { look, run });
    return run;
  }
}

export function isReadable(run: ListedRun): run is RunSummary {
  return !('error' in run) || 'run' in run;
}

/** Links and pipes in place of a run's files are looked at, and not followed or opened. */
async function lookOf(folder: string): Promise<string> {
  const files = await Promise.all(
    [RUN_FILE, JOURNAL_FILE, NOTES_FILE].map((name) => lstat(path.join(folder, name)).catch(() => undefined)),
  );
  return JSON.stringify([files.map((file) => [file?.size, file?.mtimeMs, file?.ctimeMs]), await isRunning(folder)]);
}

/** By folder; runs of another workspace folder are counted by themselves. */
function titlesOf(list: readonly ListedRun[]): ReadonlyMap<string, RunTitle> {
  const byRoot = new Map<string, RunSummary[]>();
  for (const listed of list) {
    if (!isReadable(listed)) continue;
    const of = byRoot.get(listed.run.root) ?? [];
    byRoot.set(listed.run.root, of);
    of.push(listed);
  }
  const titles = new Map<string, RunTitle>();
  for (const runs of byRoot.values()) {
    const byId = runTitles(runs.map(({ id, run, notes }) => ({ id, plan: run.record.plan, notes })));
    for (const { id, folder } of runs) titles.set(folder, byId.get(id)!);
  }
  return titles;
}

/** Equal for plans that ask the same question with the same budget, however they go about it. */
function planKey({
  model,
  text,
  calibration,
  gradients,
  rows,
  sparsity,
  operations,
  operands,
  settings,
  search,
}: MetricSearchPlan): string {
  const { population, generations, budget, depth, size, rungs, keep } = search;
  return JSON.stringify([
    ...[model, text, calibration ?? null, gradients ?? null, rows ?? null, sparsity, operations, operands],
    decidingNames(SETTINGS).map((name) => settings[name]),
    { population, generations, budget, depth, size, rungs, keep },
  ]);
}
