import { toErrorData } from '../base/errors.ts';
import { comparedRun } from '../search/comparison/comparedRun.ts';
import type { ComparedRun } from '../search/comparison/comparedRun.ts';
import type { SearchStatus } from '../search/lifecycle/state.ts';
import { CurveReader } from './curveReader.ts';
import { damageError } from './journalReader.ts';
import { runName } from './runFolder.ts';
import type { RunFolder } from './runFolder.ts';
import { isRunning } from './runLock.ts';
import { readNotes } from './runNotes.ts';
import type { RunState } from './runSummary.ts';

/** Runs that are read at a time: more would only wait for each other. */
const AT_ONCE = 3;
/** Runs whose curves are kept when nobody looks at them. */
const MOST_KEPT = 200;

/** Journals that were read once for comparing: what has not changed is not read again, and of what has grown the new part alone. */
export class ComparedRuns {
  private readonly readers = new Map<string, CurveReader>();
  private readonly reading = new Map<string, Promise<ComparedRun>>();

  /** @param titleOf what a run is called beside others */
  async read(
    runs: readonly RunFolder[],
    titleOf: (run: RunFolder) => string,
    onRun: (run: ComparedRun) => void = () => undefined,
  ): Promise<readonly ComparedRun[]> {
    const all: ComparedRun[] = [];
    const left = runs.entries();
    const work = async (): Promise<void> => {
      for (const [i, run] of left) {
        const compared = await this.readOne(run, titleOf(run));
        all[i] = compared;
        onRun(compared);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    return all;
  }

  /** Who asks while it is being read gets the same answer: one reader has one place in the file. */
  private readOne(run: RunFolder, title: string): Promise<ComparedRun> {
    const known = this.reading.get(run.folder);
    if (known) return known;
    const reading = this.look(run, title).finally(() => this.reading.delete(run.folder));
    this.reading.set(run.folder, reading);
    return reading;
  }

  private async look(run: RunFolder, title: string): Promise<ComparedRun> {
    const reader = this.readerOf(run);
    // Asked before the reading: what is there when nobody drives it any more is all there is.
    const [running, notes] = await Promise.all([isRunning(run.folder), readNotes(run.folder)]);
    const trouble = await troubleOf(reader, run);
    const isDamaged = trouble !== undefined && !reader.hasChangedEnds;
    const labels = {
      folder: run.folder,
      id: runName(run),
      title,
      tags: notes.tags ?? [],
      ...(notes.note !== undefined && { note: notes.note }),
      state: running ? 'running' : isDamaged ? 'damaged' : STATES[reader.fold.state.status],
      createdAt: Date.parse(run.record.createdAt),
      ...(trouble !== undefined && { trouble }),
    };
    return comparedRun(labels, reader.fold);
  }

  /** The one that was used last is forgotten last. A folder in which another run lies by now is read anew. */
  private readerOf(run: RunFolder): CurveReader {
    const { folder, record } = run;
    const known = this.readers.get(folder);
    const reader = known?.fingerprint === record.fingerprint && known.id === record.id ? known : new CurveReader(run);
    this.readers.delete(folder);
    this.readers.set(folder, reader);
    const [oldest] = this.readers.keys();
    if (this.readers.size > MOST_KEPT && oldest !== undefined) this.readers.delete(oldest);
    return reader;
  }
}

const STATES: Readonly<Record<SearchStatus, RunState>> = {
  starting: 'interrupted',
  running: 'interrupted',
  paused: 'paused',
  finished: 'finished',
  failed: 'failed',
};

/** Why not all of a journal could be read, in a sentence; the run is shown as far as it goes. */
async function troubleOf(reader: CurveReader, run: RunFolder): Promise<string | undefined> {
  try {
    await reader.look();
    const { damage } = reader;
    if (!damage) return undefined;
    const { operation, actual } = damageError(reader.file, damage).data;
    return `${operation}: ${actual}`;
  } catch (error) {
    const { operation, actual } = toErrorData(error, `reading the run ${runName(run)}`);
    return `${operation}: ${actual}`;
  }
}
