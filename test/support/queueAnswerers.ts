import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { build } from 'esbuild';
import { expect } from 'vitest';
import { QUEUE_FORMAT } from '../../src/queue/wire.ts';
import type { Answer, Question } from '../../src/queue/wire.ts';
import type { Said } from '../queue/answerer.ts';

/** Processes that answer questions (test/queue/answerer.ts); see there for what they are told. */
export class Answerers {
  readonly all: Answerer[] = [];
  private readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  static async build(): Promise<Answerers> {
    const folder = await mkdtemp(path.join(tmpdir(), 'espalier-answerers-'));
    await build({
      entryPoints: [path.join(import.meta.dirname, '../queue/answerer.ts')],
      outfile: path.join(folder, 'answerer.cjs'),
      ...{ bundle: true, platform: 'node', format: 'cjs', logLevel: 'warning', minify: true },
      external: ['redis', '@valkey/valkey-glide', 'pg-native', 'bullmq-otel'],
    });
    return new Answerers(folder);
  }

  /** @param through a program that starts it, such as `ip netns exec NAME` */
  async start(
    url: string,
    name: string,
    environment: Readonly<Record<string, string>> = {},
    through: readonly string[] = [],
  ): Promise<Answerer> {
    const [program, ...flags] = [...through, process.execPath, path.join(this.folder, 'answerer.cjs')];
    const env = { ...process.env, ESPALIER_QUEUE: url, QUEUE_NAME: name, ...environment };
    const answerer = new Answerer(spawn(program, flags, { env, stdio: ['ignore', 'pipe', 'pipe'] }));
    this.all.push(answerer);
    await answerer.until(({ kind }) => kind === 'ready');
    return answerer;
  }

  /** Nobody said anything but what is told in {@link Said}. */
  expectQuiet(): void {
    for (const { stderr, said } of this.all) {
      expect(stderr).toBe('');
      expect(said.filter(({ kind }) => kind === 'stray')).toEqual([]);
    }
  }

  async dispose(): Promise<void> {
    await Promise.all(this.all.map((one) => one.kill()));
    await rm(this.folder, { recursive: true, force: true });
  }
}

export class Answerer {
  readonly said: Said[] = [];
  stderr = '';
  private readonly child: ChildProcess;
  private readonly gone: Promise<void>;
  private readonly waiting = new Set<() => void>();

  constructor(child: ChildProcess) {
    this.child = child;
    createInterface({ input: child.stdout! }).on('line', (line) => {
      this.said.push(JSON.parse(line) as Said);
      for (const look of this.waiting) look();
    });
    child.stderr!.setEncoding('utf8').on('data', (text: string) => (this.stderr += text));
    this.gone = new Promise((resolve) =>
      child.once('exit', () => {
        resolve();
      }),
    );
  }

  get isAlive(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  count(kind: Said['kind']): number {
    return this.said.filter((said) => said.kind === kind).length;
  }

  /** Resolves when it has said such a thing, from `from` on. @throws Error where it ends before */
  async until(such: (said: Said) => boolean, from = 0): Promise<void> {
    const said = new Promise<boolean>((resolve) => {
      const look = (): void => {
        if (!this.said.slice(from).some(such)) return;
        this.waiting.delete(look);
        resolve(true);
      };
      this.waiting.add(look);
      look();
    });
    if (!(await Promise.race([said, this.gone]))) throw new Error(`it ended: ${this.stderr}`);
  }

  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  async kill(): Promise<void> {
    this.signal('SIGKILL');
    await this.gone;
  }

  /** Asks it to leave. @returns its exit code */
  async leave(): Promise<number | null> {
    this.signal('SIGTERM');
    await this.gone;
    return this.child.exitCode;
  }
}

export function numberQuestion(n: number): Question {
  return { format: QUEUE_FORMAT, name: 'measure', params: { n }, digits: null, limit: 1000 };
}

export function resultOf({ outcome }: Answer): unknown {
  return outcome.kind === 'result' ? outcome.result : outcome.error;
}
