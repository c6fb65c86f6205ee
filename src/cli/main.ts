import { isatty } from 'node:tty';
import { fileURLToPath } from 'node:url';
import type { NumberedDevice } from '../experiment/numberedDevice.ts';
import { startFreshEngine } from '../protocol/freshEngine.ts';
import { forkWorker } from '../protocol/workerProcess.ts';
import type { WorkerProcess } from '../protocol/workerProcess.ts';
import { questioner } from './askYesOrNo.ts';
import { cacheFolder } from './cacheFolder.ts';
import { EXIT } from './exitCode.ts';
import type { ExitCode } from './exitCode.ts';
import { takeKeys } from './flags/llmKeys.ts';
import { runCommandLine } from './program.ts';
import { readInput } from './readInput.ts';
import { createTerminal } from './terminal.ts';

const WORKER = fileURLToPath(new URL('worker.cjs', import.meta.url));
const PROMPTS = fileURLToPath(new URL('../media/prompts', import.meta.url));
/** What asks the command to stop. A search then pauses; everything else is cancelled, and clears away what is not finished. */
const SIGNALS = {
  SIGHUP: EXIT.hungUp,
  SIGINT: EXIT.interrupted,
  SIGQUIT: EXIT.quit,
  SIGTERM: EXIT.terminated,
} as const;

async function main(): Promise<void> {
  const terminal = createTerminal(process.stdout, process.stderr, process.env);
  const onTerminal = [0, 1, 2].some(isatty);
  const cancelled = new AbortController();
  const cache = cacheFolder(process.env);
  // Before any process is started that would inherit them.
  const keys = takeKeys(process.env);
  let interrupted: ExitCode = EXIT.interrupted;
  const stop = (code: ExitCode): void => {
    if (cancelled.signal.aborted) return;
    interrupted = code;
    terminal.status('stopping after this step; Ctrl-C again stops at once');
    cancelled.abort();
  };

  for (const [signal, code] of Object.entries(SIGNALS) as [keyof typeof SIGNALS, ExitCode][]) {
    // Once: with the handler gone, a second Ctrl-C has its usual effect and ends the process there and then. That a terminal is
    // closed is told twice, though, by the system and by the shell.
    process[signal === 'SIGHUP' ? 'on' : 'once'](signal, () => {
      stop(code);
    });
  }
  // Whoever read our output has gone (`espalier … | head`): nothing more to do, and nobody to tell.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    // A terminal that was closed: the same as its signal, which may come later than this.
    if (error.code === 'EIO') {
      stop(EXIT.hungUp);
      return;
    }
    if (error.code !== 'EPIPE') terminal.say(`error: writing standard output: ${error.message}`);
    process.exit(error.code === 'EPIPE' ? EXIT.pipe : EXIT.failed);
  });
  process.stderr.on('error', () => undefined);

  const worker = (device?: NumberedDevice): WorkerProcess =>
    forkWorker({ file: WORKER, cacheFolder: cache, device, log: () => undefined });
  const code = await runCommandLine(process.argv.slice(2), {
    terminal,
    folder: process.cwd(),
    signal: cancelled.signal,
    // Beside this bundle; what it says matters when it dies, and is then part of the error.
    forkWorker: worker,
    keys,
    ask: questioner({ input: process.stdin, output: process.stderr, signal: cancelled.signal }),
    readInput: (signal) => readInput(process.stdin, signal),
    variables: process.env,
    shippedPrompts: PROMPTS,
    createEngine: async () =>
      (await import('../engine/engine.ts')).createEngine({
        cacheFolder: cache,
        startFresh: () => startFreshEngine(worker(), () => undefined),
      }),
    listDevices: async () => (await import('../engine/engine.ts')).listDevices(),
  });
  terminal.status('');
  process.exitCode = code === EXIT.interrupted ? interrupted : code;
  // Node restores the terminal when it exits, and aborts where that is gone: so end as by the signal, which a shell calls 129.
  if (process.exitCode === EXIT.hungUp && onTerminal) {
    process.removeAllListeners('SIGHUP');
    process.kill(process.pid, 'SIGHUP');
  }
}

void main();
