import { IPCMessageReader, IPCMessageWriter } from 'vscode-jsonrpc/node';
import { EspalierError } from '../base/errors.ts';
import { VERSION } from '../base/version.ts';
import { runSearchOf } from '../coordinator/coordinator.ts';
import { openCheckpoint } from '../engine/checkpoint/checkpoint.ts';
import { hashFile } from '../engine/checkpoint/hashing.ts';
import { createEngine, listDevices } from '../engine/engine.ts';
import { startFreshEngine } from '../protocol/freshEngine.ts';
import { serve } from '../protocol/server.ts';
import { forkWorker } from '../protocol/workerProcess.ts';
import { openRun } from '../runs/runFolder.ts';
import { createHandlers } from './handlers.ts';
import type { StructureEngine } from './handlers.ts';
import { endProcessGroup, watchParent } from './parentWatch.ts';

// Entry point of the worker process: `fork(worker.cjs, [cacheFolder])`. It speaks over the IPC channel and nowhere else, and
// ends with it.

const exit = (): void => {
  process.exit(0);
};

if (process.send === undefined) {
  process.stderr.write(
    'This is a part of the Espalier extension and is started by it. From a terminal use `espalier evaluate`.\n',
  );
  process.exit(64);
}
process.once('disconnect', endProcessGroup);
watchParent();

const [script = '', cacheFolder] = process.argv.slice(1);
const log = (message: string): void => {
  process.stderr.write(`${message}\n`);
};
/** Until the engine has them. */
const notYet = (): never => {
  throw new EspalierError({
    code: 'settings/invalid',
    operation: 'searching for rates or masks',
    expected: 'an engine that measures them',
    actual: 'one that does not yet',
    remedy: 'Choose a search for metrics.',
  });
};
const STRUCTURE_SEARCHES_TO_COME: StructureEngine = {
  openStructure: notYet,
  measureRates: notYet,
  measureMasks: notYet,
  componentScores: notYet,
};
const handlers = createHandlers(
  {
    ...STRUCTURE_SEARCHES_TO_COME,
    ...createEngine({
      cacheFolder,
      startFresh: () => startFreshEngine(forkWorker({ file: script, cacheFolder, log }), log),
    }),
    listDevices,
    identifyModel: async (folder, signal) => {
      const checkpoint = await openCheckpoint(folder, cacheFolder === undefined ? {} : { cacheFolder });
      try {
        return await checkpoint.identity(signal);
      } finally {
        checkpoint.close();
      }
    },
    identifyFile: (file, signal) => hashFile(file, cacheFolder, signal),
  },
  {
    now: () => performance.now(),
    exit,
    hostReplied: () => undefined,
    search: async ({ folder, workers, recover }, { signal, onProgress, onEvent }) => {
      const { kind } = await runSearchOf(await openRun(folder), {
        ...(workers !== undefined && { workers }),
        ...(recover !== undefined && { recover }),
        ...{ signal, onProgress, onEvent },
        // The pool's processes are of this very script; they end with this one.
        spawn: () => forkWorker({ file: script, cacheFolder, log }),
        log,
      });
      return kind;
    },
  },
);
serve(new IPCMessageReader(process), new IPCMessageWriter(process), handlers, {
  version: VERSION,
  pid: process.pid,
  log,
});
