import type { EvaluationPlan } from '../../experiment/planSchema.ts';
import type { DeviceName, EvaluationSettings } from '../../experiment/settings.ts';
import type { EvaluationResult } from '../../experiment/resultSchema.ts';
import { EspalierError } from '../../base/errors.ts';
import { canonicalJson } from '../../base/canonicalJson.ts';
import { resultWithPaths } from '../../runs/evaluationRecord.ts';
import { withPaths } from '../../runs/portablePaths.ts';
import { digitsOfExperiment } from '../experimentDigits.ts';
import { localPath, sharedPath } from '../sharedPaths.ts';
import { digitsOf } from '../wire.ts';
import type { Question, RunClass, RunEntry } from '../wire.ts';
import type { EngineChild } from './engineChild.ts';

/** What of this machine answers: it says where its files are, and what it computes with. */
export interface Place {
  /** Workspace that relative paths start from, absolute. */
  readonly folder: string;
  /** CPU threads of this engine. */
  readonly threads: number;
  /** The kind of device that it has, where it has one only. */
  readonly device?: DeviceName;
  /** Refuses a file that is not to be read. @throws EspalierError `queue/refused` */
  readonly checkPath: (file: string) => Promise<void>;
}

/** A run as this machine has opened it. */
export interface OpenedRun {
  readonly class: RunClass;
  /** Result of the question that opens it, with paths as on the queue. */
  readonly answer: unknown;
  /** Seconds that it took. */
  readonly seconds: number;
  /** Process that holds it, see {@link EngineChild.pid}. */
  readonly pid: number | undefined;
}

/**
 * Opens a run in the engine.
 *
 * @throws EspalierError what the engine says, `queue/class` for another kind of device than the plan's, `queue/refused`
 */
export async function openRun(
  { work }: RunEntry,
  engine: EngineChild,
  place: Place,
  signal: AbortSignal,
): Promise<OpenedRun> {
  const began = performance.now();
  const { precision } = work.plan.settings;
  const opened = async (answer: unknown, digits: string, device: string): Promise<OpenedRun> => ({
    class: { digits, of: await engine.request('workClass', { device: device as DeviceName, precision }) },
    answer,
    seconds: (performance.now() - began) / 1000,
    pid: engine.pid,
  });
  if (work.kind === 'run') {
    const plan = withPaths(work.plan, (file) => localPath(place.folder, file));
    await checkPaths(work.plan, place);
    const settings = settingsHere(plan.settings, place);
    const opening = await engine.request('open', { ...plan, settings }, Infinity, { signal });
    return opened(opening, digitsOf(opening), 'device' in opening ? opening.device : '');
  }
  const dense: EvaluationPlan = { ...work.plan, evaluations: [] };
  const results = await evaluateHere(dense, engine, place, Infinity, signal);
  return opened(results, digitsOfExperiment(results), results[0]?.provenance.device ?? '');
}

/**
 * What the engine answers to a question of an open run, with paths as on the queue.
 *
 * @throws EspalierError what the engine says, `worker/exited` where that ended it
 */
export function answerHere(
  { name, params, limit }: Question,
  engine: EngineChild,
  place: Place,
  signal: AbortSignal,
): Promise<unknown> {
  // The engine checks them, too: what passes `readQuestion` is what its request takes.
  if (name === 'evaluate') return evaluateHere(params as EvaluationPlan, engine, place, limit, signal);
  return engine.request(name, params as never, limit, { signal });
}

/** Whether a question asks for nothing but the opening of its run. */
export function isOpening({ name, params }: Question, { work }: RunEntry): boolean {
  if (work.kind === 'run') return name === 'open' && isSamePlan(params, work.plan);
  return name === 'evaluate' && isSamePlan(params, { ...work.plan, evaluations: [] });
}

async function evaluateHere(
  asked: EvaluationPlan,
  engine: EngineChild,
  place: Place,
  limit: number,
  signal: AbortSignal,
): Promise<readonly EvaluationResult[]> {
  await checkPaths(asked, place);
  const names = new Map<string, string>();
  const plan = withPaths(asked, (file) => {
    const local = localPath(place.folder, file);
    names.set(local, file);
    return local;
  });
  const settings = settingsHere(asked.settings, place);
  const results = await engine.request('evaluate', { ...plan, settings }, limit, { signal });
  // As they were asked for: who asked may call the same files otherwise.
  const shared = (file: string): string => names.get(file) ?? sharedPath(place.folder, file);
  return results.map((result) => resultWithPaths(result, shared));
}

async function checkPaths(plan: Parameters<typeof withPaths>[0], place: Place): Promise<void> {
  const files: string[] = [];
  withPaths(plan, (file) => {
    files.push(localPath(place.folder, file));
    return file;
  });
  for (const file of files) await place.checkPath(file);
}

/** @throws EspalierError `queue/class` for a plan that says another kind of device */
function settingsHere(settings: EvaluationSettings, { threads, device }: Place): EvaluationSettings {
  if (device === undefined) return { ...settings, threads };
  if (settings.device === 'auto' || settings.device === device) return { ...settings, threads, device };
  throw new EspalierError({
    code: 'queue/class',
    operation: 'opening a run of the queue',
    expected: `a worker that computes on ${settings.device}, as its plan says`,
    actual: `one that has ${device}`,
    remedy: 'Start a worker on that device, or say another device in the plan.',
  });
}

/** Threads are everybody's own. */
function isSamePlan(asked: unknown, plan: RunEntry['work']['plan']): boolean {
  return canonicalJson(withoutThreads(asked as typeof plan)) === canonicalJson(withoutThreads(plan));
}

function withoutThreads(plan: RunEntry['work']['plan']): object {
  return { ...plan, settings: { ...plan.settings, threads: 0 } };
}
