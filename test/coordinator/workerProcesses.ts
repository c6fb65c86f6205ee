import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';

/** `espalier worker` in processes of their own. */
export class WorkerProcesses {
  private readonly children: ChildProcess[] = [];
  private said = '';

  /** @param cli dist/cli.cjs. @param folder workspace of the runs; caches lie there, too */
  start(cli: string, url: string, folder: string, count: number): void {
    for (let i = 0; i < count; i++) {
      const name = `w${this.children.length}`;
      const words = [cli, 'worker', '--queue', url, '--folder', folder, '--threads', '1', '--name', name, '--json'];
      const child = spawn(process.execPath, words, {
        cwd: folder,
        stdio: ['ignore', 'pipe', 'pipe'],
        env: { ...process.env, XDG_CACHE_HOME: `${folder}/cache ${name}` },
      });
      const hear = (data: Buffer): void => {
        this.said = (this.said + data.toString()).slice(-20_000);
      };
      child.stdout.on('data', hear);
      child.stderr.on('data', hear);
      this.children.push(child);
    }
  }

  /** The end of what they have said. */
  get text(): string {
    return this.said;
  }

  /** Ends them as a power cut would. */
  async stop(): Promise<void> {
    await Promise.all(
      this.children.splice(0).map(async (child) => {
        if (child.exitCode !== null || child.signalCode !== null) return;
        const gone = new Promise((resolve) => child.once('exit', resolve));
        child.kill('SIGKILL');
        await gone;
      }),
    );
  }
}
