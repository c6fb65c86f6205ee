import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { SYSTEM_CLOCK } from '../../src/base/clock.ts';
import { cancelledError, toErrorData } from '../../src/base/errors.ts';
import type { EspalierError } from '../../src/base/errors.ts';
import { VERSION } from '../../src/base/version.ts';
import type { EvaluationPlan } from '../../src/experiment/planSchema.ts';
import { WorkerConnection } from '../../src/protocol/workerConnection.ts';
import type { WorkerProcess } from '../../src/protocol/workerProcess.ts';
import { Directory } from '../../src/queue/directory.ts';
import type { QueueAddress } from '../../src/queue/queueAddress.ts';
import { queueOfRun } from '../../src/queue/questionQueue.ts';
import type { JobOutcome, JobWorker } from '../../src/queue/jobs.ts';
import { QueueServer } from '../../src/queue/queueServer.ts';
import { localPath, sharedPath } from '../../src/queue/sharedPaths.ts';
import { digitsOf, QUEUE_FORMAT } from '../../src/queue/wire.ts';
import type { Answer, Question, RunClass, RunEntry, WorkerEntry } from '../../src/queue/wire.ts';
import { resultWithPaths } from '../../src/runs/evaluationRecord.ts';
import { withPaths } from '../../src/runs/portablePaths.ts';

export interface HostOptions {
  readonly name: string;
  /** Workspace that its files lie in. */
  readonly root: string;
  readonly spawn: () => WorkerProcess;
  /** What it says of what it has opened, where that is a lie. */
  readonly lies?: (of: RunClass) => RunClass;
  /** Answers nothing of a run, and why. */
  readonly refuses?: EspalierError;
}

/** A worker of a queue without its patience: it works for every run that it sees, all at once, with one engine each. */
export class QueueHost {
  readonly id = randomUUID();
  /** Questions by run. */
  readonly answered = new Map<string, number>();
  private readonly options: HostOptions;
  private readonly server: QueueServer;
  private readonly directory: Directory;
  private readonly runs = new Map<string, { readonly worker: JobWorker; readonly engine: Engine }>();
  private readonly timer: NodeJS.Timeout;
  private beat = 0;
  private refused: WorkerEntry['refused'] = [];
  private looking: Promise<void> = Promise.resolve();

  private constructor(server: QueueServer, options: HostOptions) {
    this.server = server;
    this.options = options;
    this.directory = new Directory(server);
    this.timer = setInterval(() => {
      this.looking = this.looking.then(() => this.look()).catch(() => undefined);
    }, 100);
  }

  static async start(address: QueueAddress, options: HostOptions): Promise<QueueHost> {
    const server = await QueueServer.connect(address, { log: () => undefined, lock: 3000 });
    const host = new QueueHost(server, options);
    await host.look();
    return host;
  }

  async stop(): Promise<void> {
    clearInterval(this.timer);
    await this.looking;
    await Promise.all([...this.runs.values()].map(({ worker }) => worker.close()));
    for (const { engine } of this.runs.values()) engine.end();
    await this.directory.workers.remove(this.id);
    await this.server.close();
  }

  private async look(): Promise<void> {
    const { entries } = await this.directory.runs.list();
    for (const entry of entries) if (!this.runs.has(entry.key)) this.begin(entry);
    for (const [key, { worker, engine }] of [...this.runs]) {
      if (entries.some((entry) => entry.key === key)) continue;
      this.runs.delete(key);
      await worker.close();
      engine.end();
    }
    await this.directory.workers.put(this.entry());
  }

  private begin(entry: RunEntry): void {
    const { refuses } = this.options;
    if (refuses) {
      this.refused = [{ run: entry.key, error: refuses.data }];
      return;
    }
    const engine = new Engine(entry, this.options);
    const process = (_: string, data: unknown): Promise<JobOutcome> => this.answer(entry.key, engine, data as Question);
    const worker = this.server.worker(queueOfRun(entry.key), { name: this.options.name, process });
    this.runs.set(entry.key, { worker, engine });
    worker.run();
  }

  private async answer(key: string, engine: Engine, question: Question): Promise<JobOutcome> {
    this.answered.set(key, (this.answered.get(key) ?? 0) + 1);
    const { of, opening } = await engine.opened();
    const { name, lies } = { lies: (one: RunClass) => one, ...this.options };
    const about = { format: QUEUE_FORMAT, worker: { id: this.id, name, version: VERSION }, class: lies(of) } as const;
    const began = performance.now();
    const outcome = await engine.ask(question, opening);
    const answer: Answer = { ...about, seconds: (performance.now() - began) / 1000, outcome };
    return { kind: 'answered', answer };
  }

  private entry(): WorkerEntry {
    const run = [...this.runs.keys()][0] ?? null;
    return {
      ...{ format: QUEUE_FORMAT, id: this.id, name: this.options.name, host: hostname(), pid: process.pid, of: null },
      ...{ version: VERSION, threads: 1, state: run === null ? 'idle' : 'answering', run, answered: 0, perMinute: 0 },
      ...{ refused: this.refused, startedAt: 0, beat: this.beat++, seenAt: Date.now() },
    };
  }
}

interface Opened {
  readonly of: RunClass;
  readonly opening: unknown;
}

/** An engine child that has opened a run; another one where it has ended. */
class Engine {
  private readonly run: RunEntry;
  private readonly options: HostOptions;
  private connection: WorkerConnection | undefined;
  private opening: Promise<Opened> | undefined;

  constructor(run: RunEntry, options: HostOptions) {
    this.run = run;
    this.options = options;
  }

  opened(): Promise<Opened> {
    if (this.connection?.isOpen !== true) this.opening = undefined;
    this.opening ??= this.open();
    return this.opening;
  }

  async ask({ name, params }: Question, opening: unknown): Promise<Answer['outcome']> {
    if (name === 'open') return { kind: 'result', result: opening };
    const { client } = this.connection!;
    const { root } = this.options;
    try {
      if (name !== 'evaluate') return { kind: 'result', result: await client.request(name, params as never) };
      const names = new Map<string, string>();
      const plan = withPaths(params as EvaluationPlan, (file) => {
        names.set(localPath(root, file), file);
        return localPath(root, file);
      });
      const results = await client.request('evaluate', { ...plan, settings: { ...plan.settings, threads: 1 } });
      const shared = (file: string): string => names.get(file) ?? sharedPath(root, file);
      return { kind: 'result', result: results.map((result) => resultWithPaths(result, shared)) };
    } catch (error) {
      return { kind: 'failure', error: toErrorData(error, 'answering') };
    }
  }

  end(): void {
    this.connection?.end(cancelledError('answering'));
  }

  private async open(): Promise<Opened> {
    const { work } = this.run;
    if (work.kind !== 'run') throw new Error('not a run');
    const about = { version: VERSION, startLimit: 60_000, clock: SYSTEM_CLOCK, log: () => undefined };
    this.connection = new WorkerConnection(this.options.spawn(), about);
    await this.connection.ready;
    const plan = withPaths(work.plan, (file) => localPath(this.options.root, file));
    const settings = { ...plan.settings, threads: 1 };
    const opening = await this.connection.client.request('open', { ...plan, settings });
    const of = { espalier: VERSION, onnxruntime: '1', device: 'cpu', deviceName: 'a processor', precision: 'float32' };
    return { opening, of: { digits: digitsOf(opening), of } };
  }
}
