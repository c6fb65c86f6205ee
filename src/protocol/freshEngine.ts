import { SYSTEM_CLOCK } from '../base/clock.ts';
import { cancelledError } from '../base/errors.ts';
import { VERSION } from '../base/version.ts';
import type { FreshEngine } from '../experiment/freshEngine.ts';
import { WorkerConnection } from './workerConnection.ts';
import type { WorkerProcess } from './workerProcess.ts';

/** Milliseconds from the fork to the answered handshake. */
const START_LIMIT = 30_000;

/** The engine of a worker that was forked for it: whatever is asked settles, when the process dies with why it did. */
export function startFreshEngine(process: WorkerProcess, log: (line: string) => void): FreshEngine {
  const worker = new WorkerConnection(process, { version: VERSION, startLimit: START_LIMIT, clock: SYSTEM_CLOCK, log });
  const { client, ready } = worker;
  return {
    async verify(request, hooks) {
      await ready;
      return client.request('verify', request, hooks);
    },
    async openSpeed(request, hooks) {
      await ready;
      return client.request('openSpeed', request, hooks);
    },
    async speedRound(hooks) {
      await ready;
      return client.request('speedRound', {}, hooks);
    },
    dispose() {
      // Nothing of it is needed any more, least of all an orderly end.
      worker.end(cancelledError('using another process'));
      return Promise.resolve();
    },
  };
}
