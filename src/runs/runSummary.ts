import path from 'node:path';
import { toErrorData } from '../base/errors.ts';
import type { ErrorData } from '../base/errors.ts';
import type { EventOf, RunEvent, RunKind } from '../search/kinds.ts';
import type { Measured } from '../search/lifecycle/events.ts';
import { measuredIn } from '../search/lifecycle/objective.ts';
import { measuredOf } from '../search/lifecycle/outcome.ts';
import type { MetricCounts } from '../search/metrics/events.ts';
import { configurationOf } from '../search/rates/configuration.ts';
import type { Configuration } from '../search/rates/configuration.ts';
import type { RateCounts } from '../search/rates/events.ts';
import { AFTER, BEFORE } from '../search/recovery/finalists.ts';
import { bestOf as bestOfCheckpoints } from '../search/masks/resume.ts';
import { fileProblem } from '../files/fileProblem.ts';
import { checkRealFolders } from '../files/realFolders.ts';
import { readEnd } from './journalEnd.ts';
import type { JournalRecord } from './journalLine.ts';
import { damageError } from './journalReader.ts';
import { JOURNAL_FILE, openRun, runIds, runName, RUNS_FOLDER } from './runFolder.ts';
import type { RunFolder } from './runFolder.ts';
import { isRunning } from './runLock.ts';
import { readNotes } from './runNotes.ts';
import type { ReadNotes } from './runNotes.ts';
import { rootOf } from './runPath.ts';

/**
 * `interrupted`: nobody drives it, and it was neither paused nor finished; it can be resumed like a paused one. `damaged`: the end of its
 * journal is not as it was written, or of a newer version, so that it cannot be resumed as it is.
 */
export type RunState = 'running' | 'interrupted' | 'paused' | 'finished' | 'failed' | 'damaged';

/** A run in a list: read off the end of its journal, however long that is. */
export interface RunSummary {
  /** Name of its folder: what a person calls it. */
  readonly id: string;
  /** Absolute. */
  readonly folder: string;
  readonly run: RunFolder;
  readonly state: RunState;
  /** Of the last generation or (of a search for masks, and of a recovery) step that the end of the journal tells of; counts from 0. */
  readonly generation: number | undefined;
  /** Of a search for metrics or for rates. */
  readonly counts: MetricCounts | RateCounts | undefined;
  readonly best: BestSummary | undefined;
  /** When something last happened, in milliseconds since 1970; when it was created, where nothing has. */
  readonly lastAt: number;
  /** What it failed with. */
  readonly error: ErrorData | undefined;
  /** What is wrong with the end of its journal; where only line ends were changed, nothing is lost and the state is as it was. */
  readonly damage: ErrorData | undefined;
  /** What somebody called it, and said of it. */
  readonly notes: ReadNotes;
}

/** The best that a run has found so far, with its perplexity as finally evaluated, or its fitness in the search where it has not come so far. */
export type BestSummary =
  | ({
      readonly kind: 'metric';
      readonly id: number;
      /** Prefix form. */ readonly expression: string;
    } & Measured)
  | ({ readonly kind: 'rates'; readonly id: number } & Configuration & Measured)
  /** What is kept by the probabilities. `removed`: share of the blocks' weights. */
  | ({ readonly kind: 'masks'; readonly removed: number } & Measured)
  /** The state after so many steps; `before`: the perplexity before the first one. Until it is finished on the held-out text. */
  | { readonly kind: 'recovery'; readonly step: number; readonly before: number | null; readonly perplexity: number };

/** What is in the runs' folder and is no run. */
export interface UnreadableRun {
  readonly id: string;
  readonly folder: string;
  readonly error: ErrorData;
}

/** Runs that are read at a time. */
const AT_ONCE = 4;

/**
 * Every run of a workspace folder, the newest first. One that cannot be read fails by itself.
 *
 * @throws EspalierError `io/read` as {@link runIds}
 */
export async function listRuns(root: string): Promise<readonly (RunSummary | UnreadableRun)[]> {
  const folders = [...(await runIds(root))].reverse().map((id) => path.join(root, RUNS_FOLDER, id));
  const list: (RunSummary | UnreadableRun)[] = [];
  for (let at = 0; at < folders.length; at += AT_ONCE) {
    const portion = await Promise.all(folders.slice(at, at + AT_ONCE).map(listedRun));
    list.push(...portion.filter((run) => run !== undefined));
  }
  return list;
}

/** A run as a list shows it, also where it cannot be read; undefined where its folder has gone meanwhile. */
export async function listedRun(folder: string): Promise<RunSummary | UnreadableRun | undefined> {
  const id = path.basename(folder);
  try {
    return await summariseRun(folder);
  } catch (error) {
    if (await isGone(folder)) return undefined;
    return { id, folder, error: toErrorData(error, `reading the run ${id}`) };
  }
}

async function isGone(folder: string): Promise<boolean> {
  try {
    await checkRealFolders(rootOf(folder), folder);
    return false;
  } catch (error) {
    return fileProblem(error).missing;
  }
}

/** @throws EspalierError as {@link openRun}, `io/read` */
export async function summariseRun(folder: string): Promise<RunSummary> {
  const run = await openRun(folder);
  const { kind } = run.record.plan;
  const [{ records, damage }, running, notes] = await Promise.all([
    readEnd(run, (events, bytes) => isEnough(kind, events, bytes)),
    isRunning(folder),
    readNotes(folder),
  ]);
  const summary = summarise(kind, records);
  const state = damage && damage.kind !== 'line-ends' ? 'damaged' : summary.state;
  return {
    id: runName(run),
    folder,
    run,
    ...summary,
    state: running ? 'running' : state,
    lastAt: records.at(-1)?.at ?? Date.parse(run.record.createdAt),
    damage: damage && damageError(path.join(folder, JOURNAL_FILE), damage).data,
    notes,
  };
}

type Found = Pick<RunSummary, 'generation' | 'counts' | 'best' | 'error'> & { readonly state: RunState };

function summarise(kind: RunKind, records: readonly JournalRecord[]): Found {
  const events = records.map(({ event }) => event);
  const generation = events.findLast((event) => event.kind === 'generation');
  const finished = events.findLast((event) => event.kind === 'finished');
  const last = events.findLast((event) => event.kind in STATES);
  return {
    state: (last && STATES[last.kind]) ?? 'interrupted',
    generation: generation?.generation ?? lastStep(events),
    counts: finished && 'counts' in finished ? finished.counts : generation?.counts,
    best: bestOf(kind, events) ?? bestCheckpoint(events),
    error: last?.kind === 'failed' ? last.error : undefined,
  };
}

/** Of a search for masks, where probabilities stand before a step, or of a recovery. */
function lastStep(events: readonly RunEvent[]): number | undefined {
  const trained = events.findLast((event) => event.kind === 'trained');
  if (trained) return trained.from + trained.losses.length - 1;
  const last = events.findLast((event) => event.kind === 'step' || (event.kind === 'probabilities' && event.step > 0));
  if (last?.kind === 'step') return last.step;
  return last?.kind === 'probabilities' ? last.step - 1 : undefined;
}

const STATES: Partial<Record<RunEvent['kind'], RunState>> = {
  paused: 'paused',
  failed: 'failed',
  finished: 'finished',
  resumed: 'interrupted',
};

/** The best as far as these events say for certain which it is, and what it is. */
const BEST: { readonly [Kind in RunKind]: (events: readonly EventOf<Kind>[]) => BestSummary | undefined } = {
  metrics: (events) => {
    const { first, best } = ranked(events);
    const final = events.find((event) => event.kind === 'finalist' && first !== undefined && event.id === first);
    if (final?.kind === 'finalist' && final.result && first !== undefined)
      return { kind: 'metric', id: first, expression: final.expression, perplexity: final.result.perplexity };
    const candidate = events.find((event) => event.kind === 'candidate' && event.id === best?.id);
    return best && candidate?.kind === 'candidate'
      ? { kind: 'metric', ...best, expression: candidate.expression }
      : undefined;
  },
  rates: (events) => {
    const { first, best } = ranked(events);
    const id = first ?? best?.id;
    const final = events.find((event) => event.kind === 'finalist' && first !== undefined && event.id === first);
    const candidate = events.find((event) => event.kind === 'candidate' && event.id === id);
    if (candidate?.kind !== 'candidate' || id === undefined) return undefined;
    const evaluated = final?.kind === 'finalist' ? final.result?.perplexity : undefined;
    const measured = evaluated === undefined ? measuredOf(candidate) : { perplexity: evaluated };
    return measured && { kind: 'rates', id, ...configurationOf(candidate), ...measured };
  },
  /** What was kept, as finally evaluated. */
  masks: (events) => {
    const kept = events.find((event) => event.kind === 'finalist' && event.result?.structure?.method === 'mask');
    if (kept?.kind !== 'finalist' || !kept.result) return undefined;
    return { kind: 'masks', removed: kept.result.actualSparsity, perplexity: kept.result.perplexity };
  },
  recovery: (events) => {
    const finished = events.findLast((event) => event.kind === 'finished');
    const perplexityOf = (wanted: string): number | undefined => {
      const found = events.findLast((event) => event.kind === 'finalist' && event.name === wanted);
      return found?.kind === 'finalist' ? found.result?.perplexity : undefined;
    };
    const after = perplexityOf(AFTER);
    if (finished && after !== undefined)
      return { kind: 'recovery', step: finished.kept, before: perplexityOf(BEFORE) ?? null, perplexity: after };
    const best = events.findLast((event) => event.kind === 'validated' && event.isBest);
    if (best?.kind !== 'validated' || best.perplexity === null) return undefined;
    return { kind: 'recovery', step: best.step, before: null, perplexity: best.perplexity };
  },
};

/** Of a search that evolves a population: the first of the finished search, and the best so far. */
function ranked(events: readonly EventOf<'metrics' | 'rates'>[]) {
  const first = events.findLast((event) => event.kind === 'finished')?.best[0];
  return { first, best: events.findLast((event) => event.kind === 'generation')?.bestSoFar };
}

function bestOf(kind: RunKind, events: readonly RunEvent[]): BestSummary | undefined {
  // A run's events are those of its kind.
  return BEST[kind](events as never);
}

/** Of a search for masks: the best checkpoint that these events have. */
function bestCheckpoint(events: readonly RunEvent[]): BestSummary | undefined {
  const best = bestOfCheckpoints(events.filter((event) => event.kind === 'probabilities'));
  const measured = best && measuredIn(best);
  return measured && { kind: 'masks', removed: best.removed, ...measured };
}

/** For a better checkpoint than is known no more than these are read: one of a large model is long. */
const MOST_OF_CHECKPOINTS = 4 << 20;

/** Whether events before these cannot name a better one: of checkpoints an earlier one may have done best. */
function isEnough(kind: RunKind, events: readonly RunEvent[], bytes: number): boolean {
  if (bestOf(kind, events) !== undefined) return true;
  return bytes >= MOST_OF_CHECKPOINTS && bestCheckpoint(events) !== undefined;
}
