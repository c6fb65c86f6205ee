import { IPCMessageReader, IPCMessageWriter } from 'vscode-jsonrpc/node';
import { VERSION } from '../base/version.ts';
import { runSearchOf } from '../coordinator/coordinator.ts';
import { openCheckpoint } from '../engine/checkpoint/checkpoint.ts';
import { hashFile } from '../engine/checkpoint/hashing.ts';
import { readDocuments } from '../engine/corpus/taskDocuments.ts';
import { createEngine, listDevices } from '../engine/engine.ts';
import { startFreshEngine } from '../protocol/freshEngine.ts';
import { hostModel } from '../llm/hostModel.ts';
import { serve } from '../protocol/server.ts';
import { numberOfDevice } from '../protocol/deviceVariables.ts';
import { forkWorker } from '../protocol/workerProcess.ts';
import { readQueueAddress } from '../queue/queueAddress.ts';
import { openRun } from '../runs/runFolder.ts';
import { shownWorkers } from '../experiment/seenWorker.ts';
import { createHandlers } from './handlers.ts';
import { endProcessGroup, watchParent } from './parentWatch.ts';

// Entry point of the worker process: `fork(worker.cjs, [cacheFolder])`. It speaks over the IPC channel and nowhere else, and
// ends with it.

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
const engine = createEngine({
  cacheFolder,
  deviceNumber: numberOfDevice(process.env),
  startFresh: () => startFreshEngine(forkWorker({ file: script, cacheFolder, log }), log),
});
/** A task of one's own: of those that Espalier knows some files have no names of fields. */
const LOOKED_AT = {
  task: '',
  shots: 0,
  limit: 0,
  template: { context: '', choices: { field: '' }, gold: '' },
} as const;
const handlers = createHandlers(engine, {
  devices: listDevices,
  identifyModel: async (folder, signal) => {
    const checkpoint = await openCheckpoint(folder, cacheFolder === undefined ? {} : { cacheFolder });
    try {
      return (await checkpoint.identity(signal)).hash;
    } finally {
      checkpoint.close();
    }
  },
  identifyFile: (file, signal) => hashFile(file, cacheFolder, signal),
  firstDocuments: async (file, most, signal) => {
    const { documents } = await readDocuments(LOOKED_AT, file, { signal });
    return documents.slice(0, most).map(({ fields }) => fields);
  },
  search: async ({ folder, llm, queue, ...how }, { signal, onProgress, onGrew, onWorkers, askLanguageModel }) => {
    const { kind } = await runSearchOf(await openRun(folder), {
      ...how,
      ...(queue && { queue: readQueueAddress(queue.address, queue.password) }),
      onWorkers: (workers) => {
        onWorkers(shownWorkers(workers));
      },
      ...{ signal, onProgress },
      onEvent: ({ seq, event }) => {
        onGrew(seq, event.kind);
      },
      languageModel: { grant: llm, host: (settings, timer) => hostModel(askLanguageModel, settings, timer) },
      // The pool's processes are of this very script; they end with this one.
      spawn: () => forkWorker({ file: script, cacheFolder, log }),
      log,
      onWait: (detail) => {
        log(detail);
        // Nobody knows for how long.
        onProgress({ stage: 'reading', done: 0, total: 0, detail });
      },
    });
    return kind;
  },
  exit: () => {
    process.exit(0);
  },
});
serve(new IPCMessageReader(process), new IPCMessageWriter(process), handlers, {
  version: VERSION,
  pid: process.pid,
  log,
});
