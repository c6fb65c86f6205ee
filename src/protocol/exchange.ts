import { CancellationTokenSource } from 'vscode-jsonrpc';
import type { MessageConnection } from 'vscode-jsonrpc';
import { cancelledError } from '../base/errors.ts';
import { fromResponseError, toResponseError } from './errors.ts';

/** Requests of either end, with the signals and coded errors of everything else in place of the library's. */

/** @throws EspalierError what the other end says; an aborted `signal` asks it to say `cancelled` */
export async function sendRequest(
  connection: MessageConnection,
  method: string,
  params: unknown,
  signal: AbortSignal | undefined,
): Promise<unknown> {
  const cancellation = new CancellationTokenSource();
  const cancel = (): void => {
    cancellation.cancel();
  };
  signal?.addEventListener('abort', cancel, { once: true });
  try {
    const answer = connection.sendRequest(method, params, cancellation.token);
    if (signal?.aborted) cancel();
    return await answer;
  } catch (error) {
    throw fromResponseError(error, `asking for ${method}`);
  } finally {
    signal?.removeEventListener('abort', cancel);
    cancellation.dispose();
  }
}

/**
 * Answers what comes in on a connection, each exactly once: with a result, or with the coded error of what was thrown.
 *
 * @returns aborts whatever is being answered: nobody waits for it any more
 */
export function answerRequests(
  connection: MessageConnection,
  answer: (method: string, params: unknown, signal: AbortSignal) => Promise<unknown>,
): () => void {
  const running = new Set<AbortController>();
  connection.onRequest(async (method, params, token) => {
    const controller = new AbortController();
    const cancelled = token.onCancellationRequested(() => {
      controller.abort();
    });
    running.add(controller);
    try {
      // A request cancelled before its turn comes with a token that is cancelled but never says so.
      if (token.isCancellationRequested) throw cancelledError(`answering ${method}`);
      return await answer(method, params, controller.signal);
    } catch (error) {
      return toResponseError(error, `answering ${method}`);
    } finally {
      running.delete(controller);
      cancelled.dispose();
    }
  });
  return () => {
    for (const controller of running) controller.abort();
  };
}
