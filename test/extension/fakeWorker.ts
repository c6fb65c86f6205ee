import { EspalierError } from '../../src/base/errors.ts';
import type { Clock } from '../../src/base/clock.ts';
import type { WorkerExit, WorkerProcess } from '../../src/protocol/workerProcess.ts';
import { serve } from '../../src/protocol/server.ts';
import type { RequestHandlers } from '../../src/protocol/server.ts';
import { memoryTransport } from '../protocol/memoryTransport.ts';
import {
  idleStructureHandlers,
  sampleInspection,
  samplePreflight,
  sampleOpening,
  sampleResult,
  sampleSummary,
} from '../protocol/samples.ts';

/** How a fake worker behaves. */
export type Behaviour =
  | 'healthy'
  | 'dies at start'
  | 'cannot be started'
  | 'never answers'
  | 'speaks another protocol'
  | 'ignores cancelling'
  | 'ignores shutdown'
  | 'cannot be killed';

/** A worker without a process: the real protocol over memory, an exit on command. Evaluations run until `finish` or a cancel. */
export class FakeWorker implements WorkerProcess {
  private static pids = 100;
  readonly pid = FakeWorker.pids++;
  readonly reader;
  readonly writer;
  killed = false;
  gone = false;
  evaluations = 0;
  finish: () => void = () => undefined;
  private readonly behaviour: Behaviour;
  private readonly ends = memoryTransport();
  private readonly exitListeners: ((exit: WorkerExit) => void)[] = [];

  constructor(behaviour: Behaviour) {
    this.behaviour = behaviour;
    this.reader = this.ends.client.reader;
    this.writer = this.ends.client.writer;
    switch (behaviour) {
      case 'dies at start':
        setImmediate(() => {
          this.exit({ code: 1, signal: null });
        });
        break;
      case 'cannot be started':
        setImmediate(() => {
          this.exit({ code: null, signal: null, reason: 'spawn ENOENT' });
        });
        break;
      case 'never answers':
        break;
      case 'speaks another protocol':
        this.ends.server.reader.listen((message) => {
          this.ends.server.raw({
            jsonrpc: '2.0',
            id: (message as { id?: unknown }).id,
            result: { protocol: 99, version: '9.9', pid: 1 },
          });
        });
        break;
      case 'healthy':
      case 'ignores cancelling':
      case 'ignores shutdown':
      case 'cannot be killed':
        serve(this.ends.server.reader, this.ends.server.writer, this.handlers(), {
          version: '1',
          pid: this.pid,
          log: () => undefined,
        });
    }
  }

  lastWords(): string {
    return 'last words';
  }

  onExit(listener: (exit: WorkerExit) => void): void {
    this.exitListeners.push(listener);
  }

  kill(): void {
    this.killed = true;
    if (this.behaviour === 'cannot be killed') return;
    setImmediate(() => {
      this.exit({ code: null, signal: 'SIGKILL' });
    });
  }

  /** Ends the process as if by itself. */
  exit(exit: WorkerExit): void {
    if (this.gone) return;
    this.gone = true;
    this.ends.server.close();
    for (const listener of this.exitListeners) listener(exit);
  }

  private handlers(): RequestHandlers {
    return {
      evaluate: (_, { signal, onProgress, onResult }) =>
        new Promise((resolve, reject) => {
          this.evaluations++;
          onProgress({ stage: 'pruning', done: 1, total: 6, detail: 'block 1 of 6' });
          this.finish = () => {
            onResult(sampleResult(), 0);
            resolve([sampleResult()]);
          };
          signal.addEventListener('abort', () => {
            if (this.behaviour === 'ignores cancelling') return;
            reject(
              new EspalierError({
                code: 'cancelled',
                operation: 'evaluating',
                expected: 'a',
                actual: 'b',
                remedy: 'c',
              }),
            );
          });
        }),
      open: () => Promise.resolve(sampleOpening()),
      probe: () => Promise.resolve([]),
      measure: () => Promise.resolve([]),
      ...idleStructureHandlers(),
      preflight: () => Promise.resolve(samplePreflight()),
      inspect: () => Promise.resolve(sampleInspection()),
      search: () => Promise.resolve('finished' as const),
      devices: () => Promise.resolve([]),
      describe: ({ model }) => Promise.resolve(sampleSummary(model)),
      identify: ({ models, files }) =>
        Promise.resolve({ models: models.map(() => null), files: files.map(() => null) }),
      shutdown: () => {
        if (this.behaviour === 'ignores shutdown') return new Promise(() => undefined);
        setImmediate(() => {
          this.exit({ code: 0, signal: null });
        });
        return Promise.resolve({});
      },
    };
  }
}

/** Time that passes when a test says so. */
export class FakeClock implements Clock {
  private time = 0;
  private timers: { at: number; callback: () => void }[] = [];

  now(): number {
    return this.time;
  }

  after(milliseconds: number, callback: () => void): () => void {
    const timer = { at: this.time + milliseconds, callback };
    this.timers.push(timer);
    return () => {
      this.timers = this.timers.filter((other) => other !== timer);
    };
  }

  /** Lets time pass, timer by timer, and in between lets everything happen that is ready to. */
  async pass(milliseconds: number): Promise<void> {
    const end = this.time + milliseconds;
    await settle();
    for (;;) {
      const next = this.timers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
      if (!next) break;
      this.timers = this.timers.filter((other) => other !== next);
      this.time = Math.max(this.time, next.at);
      next.callback();
      await settle();
    }
    this.time = end;
  }

  get pending(): number {
    return this.timers.length;
  }
}

/** Long enough for a request and its reply to cross the memory transport. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 30; turn++) await new Promise((resolve) => setImmediate(resolve));
}
