import { availableParallelism } from 'node:os';
import { EspalierError } from '../base/errors.ts';
import { VERSION } from '../base/version.ts';
import { essentialsOf } from '../experiment/parts.ts';
import type { EvaluationPlan } from '../experiment/planSchema.ts';
import type { EvaluationProgress, EvaluationResult } from '../experiment/resultSchema.ts';
import type { WorkerProcess } from '../protocol/workerProcess.ts';
import { digitsOf } from '../queue/wire.ts';
import { SYSTEM_CLOCK } from './clock.ts';
import type { Pool } from './pool.ts';
import { WorkerPool } from './workerPool.ts';

export interface LocalExperimentOptions {
  /** Processes. */
  readonly workers: number;
  readonly spawn: () => WorkerProcess;
  readonly onProgress: (progress: EvaluationProgress) => void;
  readonly log: (line: string) => void;
}

/** Processes of this machine that answer evaluations of plans that are opened alike, each with its share of the threads. */
export function localExperimentPool(
  opening: EvaluationPlan,
  { workers, spawn, onProgress, log }: LocalExperimentOptions,
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
    threads: threads === 0 ? availableParallelism() : threads,
    spawn,
    version: VERSION,
    clock: SYSTEM_CLOCK,
    log,
    onProgress,
    onOpened: (dense) => {
      const own = digitsOf(essentialsOf(dense));
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
