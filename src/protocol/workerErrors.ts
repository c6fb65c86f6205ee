import { EspalierError } from '../base/errors.ts';
import type { WorkerExit } from './workerProcess.ts';

/** What the requests of a worker that has ended are rejected with. */
export function exitError(exit: WorkerExit, lastWords: string): EspalierError {
  if (exit.reason !== undefined) return startError(exit.reason);
  const how = exit.signal ?? `exit code ${exit.code ?? 'unknown'}`;
  return new EspalierError({
    code: 'worker/exited',
    operation: 'running the worker',
    expected: 'a process that lives until it is stopped',
    actual: lastWords === '' ? how : `${how}; its last words: ${lastWords}`,
    remedy:
      exit.signal === 'SIGKILL'
        ? 'Evaluate again. If it happens again, the system may be short of memory: choose a smaller model or fewer tokens.'
        : 'Evaluate again. If it happens again, see the log, or choose the CPU.',
  });
}

export function startError(reason: string): EspalierError {
  return new EspalierError({
    code: 'worker/start-failed',
    operation: 'starting the worker',
    expected: 'a process that answers',
    actual: reason,
    remedy: 'See the log; installing the extension again may help.',
  });
}

/** @param limits `restartWindow` in milliseconds */
export function gaveUpError(
  limits: { readonly restarts: number; readonly restartWindow: number },
  last: EspalierError,
): EspalierError {
  return new EspalierError(
    {
      code: 'worker/gave-up',
      operation: 'running the worker',
      expected: `at most ${limits.restarts} restarts in ${limits.restartWindow / 60_000} minutes`,
      actual: last.data.actual,
      remedy: 'See the log, then retry, or use the CPU.',
    },
    { cause: last },
  );
}
