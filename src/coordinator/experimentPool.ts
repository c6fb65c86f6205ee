import { availableParallelism } from 'node:os';
import { EspalierError } from '../base/errors.ts';
import { VERSION } from '../base/version.ts';
import type { EvaluationPlan } from '../experiment/planSchema.ts';
import type { EvaluationProgress, EvaluationResult } from '../experiment/resultSchema.ts';
import type { NumberedDevice } from '../experiment/numberedDevice.ts';
import type { SeenWorker } from '../experiment/seenWorker.ts';
import type { WorkerProcess } from '../protocol/workerProcess.ts';
import type { QueueAddress } from '../queue/queueAddress.ts';
import { digitsOfExperiment } from '../queue/experimentDigits.ts';
import { SYSTEM_CLOCK } from './clock.ts';
import type { Pool } from './pool.ts';
import { QueuePool } from './queuePool.ts';
import { experimentWork } from './queueWork.ts';
import { WorkerPool } from './workerPool.ts';

export interface LocalExperimentOptions {
  /** Processes. */
  readonly workers: number;
  /** Devices of this machine, of one kind, each for a process of its own: as many as `workers`. */
  readonly devices?: readonly NumberedDevice[];
  readonly spawn: (device?: NumberedDevice) => WorkerProcess;
  readonly onProgress: (progress: EvaluationProgress) => void;
  readonly log: (line: string) => void;
}

/** Processes of this machine that answer evaluations of plans that are opened alike, each with its share of the threads. */
export function localExperimentPool(
  opening: EvaluationPlan,
  { workers, devices, spawn, onProgress, log }: LocalExperimentOptions,
): Pool<EvaluationResult> {
  const { threads } = opening.settings;
  let digits: string | undefined;
  return new WorkerPool<EvaluationResult>({
    settings: opening.settings,
    open: async (client, settings, hooks) => {
      const [dense] = await client.request('evaluate', { ...opening, settings }, hooks);
      return dense!;
    },
    workers,
    ...(devices && { devices }),
    threads: threads === 0 ? availableParallelism() : threads,
    spawn,
    version: VERSION,
    clock: SYSTEM_CLOCK,
    log,
    onProgress,
    onOpened: (dense) => {
      const own = digitsOfExperiment([dense]);
      digits ??= own;
      if (own !== digits) throw changedError(opening.model);
    },
  });
}

function changedError(model: string): EspalierError {
  return new EspalierError({
    code: 'runs/changed',
    operation: 'evaluating with several workers',
    expected: 'checkpoint and texts as they were when the first of them began',
    actual: `another evaluation of the dense model ${model}`,
    remedy: 'Restore them, and evaluate again.',
  });
}

export interface QueuedExperimentOptions extends Omit<
  LocalExperimentOptions,
  'workers' | 'devices' | 'spawn' | 'onProgress'
> {
  readonly address: QueueAddress;
  /** Folder that paths are relative to for those who have it elsewhere; absolute. */
  readonly root: string;
  readonly signal: AbortSignal;
  /** Tells a person. */
  readonly say: (message: string) => void;
  readonly onWorkers: (workers: readonly SeenWorker[]) => void;
}

/** Workers of a queue that answer them. @throws EspalierError as {@link QueuePool.join} */
export function queuedExperimentPool(
  opening: EvaluationPlan,
  { root, ...options }: QueuedExperimentOptions,
): Promise<Pool<EvaluationResult>> {
  return QueuePool.join({
    ...options,
    work: experimentWork(opening, root),
    clock: SYSTEM_CLOCK,
    onOpened: () => undefined,
  });
}
