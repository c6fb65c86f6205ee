import type { FreshEngine } from '../experiment/freshEngine.ts';
import { VERSION } from '../base/version.ts';
import { ProtocolClient } from './client.ts';
import { exitError } from './workerErrors.ts';
import type { WorkerProcess } from './workerProcess.ts';

/** The engine of a worker that was forked for it: whatever is asked settles, when the process dies with why it did. */
export function startFreshEngine(process: WorkerProcess, log: (line: string) => void): FreshEngine {
  const client = new ProtocolClient(process.reader, process.writer, {
    log,
    onBroken: () => {
      // Its exit follows, and tells why.
      process.kill();
    },
  });
  let gone = false;
  process.onExit((exit) => {
    gone = true;
    client.dispose(exitError(exit, process.lastWords()));
  });
  const ready = client.initialize(VERSION);
  // Whoever asks something is told.
  ready.catch(() => undefined);
  return {
    async verify(request, signal) {
      await ready;
      return (await client.request('verify', { request: { ...request, tokens: [...request.tokens] } }, signal))
        .verification;
    },
    async openSpeed(request, signal) {
      await ready;
      return (await client.request('openSpeed', { request }, signal)).subject;
    },
    async speedRound(signal) {
      await ready;
      return (await client.request('speedRound', {}, signal)).round;
    },
    dispose() {
      // Nothing of it is needed any more, least of all an orderly end.
      if (!gone) process.kill();
      return Promise.resolve();
    },
  };
}
