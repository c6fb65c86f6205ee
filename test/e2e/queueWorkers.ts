import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import path from 'node:path';

export interface WorkersOf {
  /** The checkout, whose command line is the worker. */
  readonly root: string;
  /** Where relative paths of plans start from. */
  readonly workspace: string;
  /** Without a password. */
  readonly address: string;
  readonly password: string;
}

/** `espalier worker` processes, as a person starts them on other machines. */
export class QueueWorkers {
  private readonly of: WorkersOf;
  private readonly running = new Map<string, ChildProcess>();
  /** The last lines that any of them wrote. */
  private readonly said: string[] = [];

  constructor(of: WorkersOf) {
    this.of = of;
  }

  start(name: string): void {
    const { root, workspace, address, password } = this.of;
    const flags = ['--queue', address, '--device', 'cpu', '--threads', '1', '--folder', workspace, '--name', name];
    const child = spawn(process.execPath, [path.join(root, 'dist/cli.cjs'), 'worker', ...flags], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ESPALIER_QUEUE_PASSWORD: password },
    });
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (data: Buffer) => {
        this.said.push(`${name}: ${data.toString().trimEnd()}`);
        this.said.splice(0, this.said.length - 40);
      });
    }
    this.running.set(name, child);
  }

  /** As the system does where memory runs out: without a word to anybody. */
  async kill(name: string): Promise<void> {
    const child = this.running.get(name);
    this.running.delete(name);
    if (child?.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await gone;
  }

  async stop(): Promise<void> {
    await Promise.all([...this.running.keys()].map((name) => this.kill(name)));
  }

  lastWords(): string {
    return this.said.join('\n');
  }
}
