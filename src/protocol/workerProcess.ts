import { fork, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { StringDecoder } from 'node:string_decoder';
import type { MessageReader, MessageWriter } from 'vscode-jsonrpc';
import { IPCMessageReader, IPCMessageWriter } from 'vscode-jsonrpc/node';
import { withoutSecrets } from '../base/secretVariables.ts';
import type { NumberedDevice } from '../experiment/numberedDevice.ts';
import { sweepCache } from '../files/temporary.ts';
import { deviceVariables } from './deviceVariables.ts';
import { reaper } from './reaper.ts';

/** A worker as its supervisor sees it. Tests put another one in its place. */
export interface WorkerProcess {
  readonly pid: number | undefined;
  readonly reader: MessageReader;
  readonly writer: MessageWriter;
  /** The last lines that it wrote to stderr. */
  lastWords(): string;
  /** Called once, when the process is gone or could not be started. */
  onExit(listener: (exit: WorkerExit) => void): void;
  /** Ends it now, whatever it is doing. */
  kill(): void;
}

export interface WorkerExit {
  readonly code: number | null;
  readonly signal: string | null;
  /** Why it could not be started. */
  readonly reason?: string;
}

export interface ForkOptions {
  /** dist/worker.cjs */
  readonly file: string;
  /** Where the worker may remember what it finds out about large files; nothing is remembered without it. */
  readonly cacheFolder?: string | undefined;
  /** The one device of several that it has; without it the first of each kind. */
  readonly device?: NumberedDevice | undefined;
  readonly log: (line: string) => void;
}

const LAST_LINES = 20;
const LONGEST_LINE = 2000;

/**
 * Starts the worker under the editor's own Node; its N-API binaries need no rebuild. It has one way to talk: the IPC channel.
 *
 * @throws EspalierError `device/unavailable` where this process itself is shown fewer devices
 */
export function forkWorker({ file, cacheFolder, device, log }: ForkOptions): WorkerProcess {
  const child = fork(file, cacheFolder === undefined ? [] : [cacheFolder], {
    execPath: process.execPath,
    // Flags of the editor's process (an inspector's port, for one) are not meant for the worker.
    execArgv: [],
    env: {
      ...withoutSecrets(process.env),
      ...(device && deviceVariables(device, process.env)),
      ELECTRON_RUN_AS_NODE: '1',
    },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    serialization: 'json',
    // On POSIX it leads a process group, so that what it starts (a device probe in a stuck driver) can be ended with it.
    detached: process.platform !== 'win32',
  });
  const { pid } = child;
  if (pid !== undefined) {
    reaper().watch(pid);
    child.once('exit', () => {
      reaper().forget(pid);
    });
  }
  const last: string[] = [];
  const tell = (line: string): void => {
    log(line);
    last.push(line);
    if (last.length > LAST_LINES) last.shift();
  };
  eachLine(child.stdout, log);
  eachLine(child.stderr, tell);

  return {
    pid,
    reader: new IPCMessageReader(child),
    writer: new IPCMessageWriter(child),
    lastWords: () => last.join('\n'),
    onExit: (listener) => {
      let told = false;
      const once = (exit: WorkerExit): void => {
        if (!told) listener(exit);
        told = true;
      };
      // `close` comes after `exit`, once stderr is read to its end: the last words are then complete.
      child.once('close', (code, signal) => {
        // One that was killed had no time to clear away what it was writing: gradients of a large model are many gigabytes.
        const swept = signal !== null && cacheFolder !== undefined ? sweepCache(cacheFolder) : Promise.resolve();
        void swept.then(() => {
          once({ code, signal });
        });
      });
      child.once('error', (error) => {
        if (child.pid === undefined) once({ code: null, signal: null, reason: error.message });
        else log(`worker: ${error.message}`);
      });
    },
    kill: () => {
      killTree(child);
    },
  };
}

function killTree(child: ChildProcess): void {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  try {
    if (process.platform === 'win32') {
      const env = withoutSecrets(process.env);
      spawn('taskkill', ['/pid', String(child.pid), '/t', '/f'], { stdio: 'ignore', windowsHide: true, env }).on(
        'error',
        () => {
          child.kill('SIGKILL');
        },
      );
    } else process.kill(-child.pid, 'SIGKILL');
  } catch {
    child.kill('SIGKILL');
  }
}

function eachLine(stream: NodeJS.ReadableStream | null, tell: (line: string) => void): void {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  stream?.on('data', (chunk: Buffer) => {
    const lines = (rest + decoder.write(chunk)).split(/\r?\n/);
    rest = (lines.pop() ?? '').slice(-LONGEST_LINE);
    for (const line of lines) tell(line.slice(0, LONGEST_LINE));
  });
  stream?.on('end', () => {
    if (rest !== '') tell(rest);
  });
}
