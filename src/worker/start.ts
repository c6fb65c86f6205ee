import { fileURLToPath } from 'node:url';
import { runCompiled } from '../files/runCompiled.ts';

// Entry point of dist/worker.cjs: `fork(worker.cjs, [cacheFolder])`. All that it does is to start the worker fast.

runCompiled(fileURLToPath(new URL('workerProgram.cjs', import.meta.url)), 'worker', process.argv[2]);
