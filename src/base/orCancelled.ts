import { cancelledError } from './errors.ts';

/**
 * What `work` comes to, or the coded error `cancelled` as soon as the signal is aborted: for work that another process does, which is
 * ended by whoever started it.
 */
export async function orCancelled<Result>(
  work: Promise<Result>,
  signal: AbortSignal | undefined,
  operation: string,
): Promise<Result> {
  if (!signal) return work;
  let give = (): void => undefined;
  const cancelled = new Promise<never>((_, reject) => {
    give = () => {
      reject(cancelledError(operation));
    };
    if (signal.aborted) give();
    else signal.addEventListener('abort', give, { once: true });
  });
  // Whichever comes second has nobody left to be told.
  work.catch(() => undefined);
  try {
    return await Promise.race([cancelled, work]);
  } finally {
    signal.removeEventListener('abort', give);
  }
}
