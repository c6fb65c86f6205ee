import { stat } from 'node:fs/promises';
import path from 'node:path';
import { toErrorData } from '../base/errors.ts';
import type { ErrorData } from '../base/errors.ts';
import type { RunEvent } from '../experiment/runPlan.ts';
import type { SearchCounts } from '../experiment/searchEvents.ts';
import type { RateCounts } from '../experiment/structureEvents.ts';
import { bestOf as bestOfCheckpoints } from '../search/masks/resume.ts';
import { openToRead } from '../files/openRegular.ts';
import { decodeLine, firstLink, linkAfter } from './journalLine.ts';
import type { JournalRecord } from './journalLine.ts';
import { JOURNAL_FILE, openRun, runIds, RUNS_FOLDER } from './runFolder.ts';
import type { RunFolder } from './runFolder.ts';
import { isRunning } from './runLock.ts';

/** `interrupted`: nobody drives it, and it was neither paused nor finished; it can be resumed like a paused one. */
export type RunState = 'running' | 'interrupted' | 'paused' | 'finished' | 'failed';

/** A run in a list: read off the end of its journal, however long that is. */
export interface RunSummary {
  readonly id: string;
  /** Absolute. */
  readonly folder: string;
  readonly run: RunFolder;
  readonly state: RunState;
  /** Of the last generation, iteration or (of a search for masks) step that the end of the journal tells of; counts from 0. */
  readonly generation: number | undefined;
  /** Of a search for metrics or for rates. */
  readonly counts: SearchCounts | RateCounts | undefined;
  readonly best: BestSummary | undefined;
  /** When something last happened, in milliseconds since 1970; when it was created, where nothing has. */
  readonly lastAt: number;
  /** What it failed with. */
  readonly error: ErrorData | undefined;
}

/** The best that a run has found so far. `perplexity`: as finally evaluated, or in the search where it has not come so far. */
export type BestSummary =
  | {
      readonly kind: 'metric';
      readonly id: number;
      /** Prefix form. */ readonly expression: string;
      readonly perplexity: number;
    }
  | { readonly kind: 'rates'; readonly id: number; readonly rates: readonly number[]; readonly perplexity: number }
  /** What is kept by the probabilities. `removed`: share of the blocks' weights. */
  | { readonly kind: 'masks'; readonly removed: number; readonly perplexity: number };

/** What is in the runs' folder and is no run. */
export interface UnreadableRun {
  readonly id: string;
  readonly folder: string;
  readonly error: ErrorData;
}

/** Every run of a workspace folder, the newest first. */
export async function listRuns(root: string): Promise<readonly (RunSummary | UnreadableRun)[]> {
  const ids = [...(await runIds(root))].reverse();
  return Promise.all(
    ids.map(async (id) => {
      const folder = path.join(root, RUNS_FOLDER, id);
      try {
        return await summariseRun(folder);
      } catch (error) {
        return { id, folder, error: toErrorData(error, `reading the run ${id}`) };
      }
    }),
  );
}

/** @throws EspalierError as {@link openRun} */
export async function summariseRun(folder: string): Promise<RunSummary> {
  const run = await openRun(folder);
  const [records, running] = await Promise.all([lastRecords(run), isRunning(folder)]);
  const summary = summarise(records);
  return {
    id: run.run.id,
    folder,
    run,
    ...summary,
    state: running ? 'running' : summary.state,
    lastAt: records.at(-1)?.at ?? Date.parse(run.run.createdAt),
  };
}

type Found = Pick<RunSummary, 'generation' | 'counts' | 'best' | 'error'> & { readonly state: RunState };

function summarise(records: readonly JournalRecord[]): Found {
  const events = records.map(({ event }) => event);
  const round = events.findLast((event) => event.kind === 'generation' || event.kind === 'iteration');
  const finished = events.findLast((event) => event.kind === 'finished' || event.kind === 'rates-finished');
  const last = events.findLast((event) => event.kind in STATES);
  return {
    state: (last && STATES[last.kind]) ?? 'interrupted',
    generation: round?.generation ?? lastStep(events),
    counts: finished?.counts ?? round?.counts,
    best: bestOf(events),
    error: last?.kind === 'failed' ? last.error : undefined,
  };
}

/** Of a search for masks; probabilities stand before a step. */
function lastStep(events: readonly RunEvent[]): number | undefined {
  const last = events.findLast((event) => event.kind === 'step' || (event.kind === 'probabilities' && event.step > 0));
  if (last?.kind === 'step') return last.step;
  return last?.kind === 'probabilities' ? last.step - 1 : undefined;
}

const STATES: Partial<Record<RunEvent['kind'], RunState>> = {
  paused: 'paused',
  failed: 'failed',
  finished: 'finished',
  'rates-finished': 'finished',
  'masks-finished': 'finished',
  resumed: 'interrupted',
};

/** The best as far as these events say which it is, and what it is. */
function bestOf(events: readonly RunEvent[]): BestSummary | undefined {
  return bestMetric(events) ?? bestRates(events) ?? bestMasks(events);
}

function bestMetric(events: readonly RunEvent[]): BestSummary | undefined {
  const first = events.findLast((event) => event.kind === 'finished')?.best[0];
  const finalist = events.find((event) => event.kind === 'finalist' && event.id !== undefined && event.id === first);
  if (finalist?.kind === 'finalist' && finalist.result) {
    const { expression, result } = finalist;
    return { kind: 'metric', id: first!, expression, perplexity: result.perplexity };
  }
  const best = events.findLast((event) => event.kind === 'generation')?.bestSoFar;
  const candidate = events.find((event) => event.kind === 'candidate' && event.id === best?.id);
  return best && candidate?.kind === 'candidate'
    ? { kind: 'metric', ...best, expression: candidate.expression }
    : undefined;
}

function bestRates(events: readonly RunEvent[]): BestSummary | undefined {
  const first = events.findLast((event) => event.kind === 'rates-finished')?.best[0];
  const finalist = events.find(
    (event) => event.kind === 'structure-finalist' && event.id !== undefined && event.id === first,
  );
  const best = events.findLast((event) => event.kind === 'iteration')?.bestSoFar;
  const id = first ?? best?.id;
  const configuration = events.find((event) => event.kind === 'configuration' && event.id === id);
  if (configuration?.kind !== 'configuration' || id === undefined) return undefined;
  const final = finalist?.kind === 'structure-finalist' ? finalist.result?.perplexity : undefined;
  const { rates, outcome } = configuration;
  const perplexity = final ?? (outcome.kind === 'invalid' ? undefined : outcome.perplexity);
  return perplexity === undefined ? undefined : { kind: 'rates', id, rates, perplexity };
}

/** What was kept, as finally evaluated; where it is not, the best checkpoint that these events have. */
function bestMasks(events: readonly RunEvent[]): BestSummary | undefined {
  return keptMasks(events) ?? bestCheckpoint(events);
}

function keptMasks(events: readonly RunEvent[]): BestSummary | undefined {
  for (const event of events) {
    if (event.kind !== 'structure-finalist' || event.result?.structure?.method !== 'mask') continue;
    const { perplexity, actualSparsity } = event.result;
    return { kind: 'masks', removed: actualSparsity, perplexity };
  }
  return undefined;
}

function bestCheckpoint(events: readonly RunEvent[]): BestSummary | undefined {
  const best = bestOfCheckpoints(events.filter((event) => event.kind === 'probabilities'));
  return best === undefined || best.perplexity === null
    ? undefined
    : { kind: 'masks', removed: best.removed, perplexity: best.perplexity };
}

/** Whether events before these cannot name a better one: of checkpoints an earlier one may have done best. */
function isSettled(events: readonly RunEvent[]): boolean {
  return (bestMetric(events) ?? bestRates(events) ?? keptMasks(events)) !== undefined;
}

/** Bytes that are read off the end first; then eight times as many, until the best is among them. */
const END = 64 << 10;
/** For a better checkpoint than is known no more than these are read: one of a large model is long, and lists are read often. */
const MOST_OF_CHECKPOINTS = 8 * 8 * END;
const LINE_FEED = 0x0a;

async function lastRecords({ folder, run }: RunFolder): Promise<readonly JournalRecord[]> {
  const file = path.join(folder, JOURNAL_FILE);
  try {
    const { size } = await stat(file);
    for (let length = END; ; length *= 8) {
      const start = Math.max(0, size - length);
      const records = recordsIn(await bytesOf(file, start, size - start), start === 0 ? run.id : undefined);
      const events = records.map(({ event }) => event);
      if (start === 0 || isSettled(events)) return records;
      if (length >= MOST_OF_CHECKPOINTS && bestCheckpoint(events)) return records;
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

/** Whole lines only; from the first, which is taken on trust unless it is the first of the file, on to one that is damaged. */
function recordsIn(bytes: Buffer, runId: string | undefined): JournalRecord[] {
  const records: JournalRecord[] = [];
  let link = runId === undefined ? undefined : firstLink(runId);
  let begin = runId === undefined ? bytes.indexOf(LINE_FEED) + 1 : 0;
  for (let end = bytes.indexOf(LINE_FEED, begin); end >= 0; end = bytes.indexOf(LINE_FEED, begin)) {
    const line = bytes.subarray(begin, end);
    begin = end + 1;
    if (link) {
      const decoded = decodeLine(line, link);
      if (decoded.kind !== 'record') break;
      records.push(decoded.record);
    }
    link = linkAfter(line);
  }
  return records;
}

async function bytesOf(file: string, start: number, length: number): Promise<Buffer> {
  const handle = await openToRead(file, { links: 'refuse' });
  try {
    const buffer = Buffer.alloc(length);
    const { bytesRead } = await handle.read(buffer, 0, length, start);
    return buffer.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}
