import { spawn } from 'node:child_process';

export interface Finished {
  /** Standard output's last line, as JSON. */
  readonly answer: Readonly<Record<string, unknown>>;
  readonly wallSeconds: number;
}

/** Runs a fresh process and reads the JSON object on its last line. Throws with its standard error where it fails. */
export async function runProcess(command: string, parameters: readonly string[], input = ''): Promise<Finished> {
  const began = process.hrtime.bigint();
  const child = spawn(command, [...parameters], { stdio: ['pipe', 'pipe', 'pipe'] });
  const output = { out: '', err: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output.out += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output.err += text));
  child.stdin.end(input);
  const status = await new Promise<number | string>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => {
      resolve(code ?? signal ?? 'unknown');
    });
  });
  const wallSeconds = Number(process.hrtime.bigint() - began) / 1e9;
  if (status !== 0) throw new Error(`${command} ended with ${status}:\n${output.err.trim() || output.out.trim()}`);
  const last = output.out.trim().split('\n').at(-1) ?? '';
  return { answer: JSON.parse(last) as Record<string, unknown>, wallSeconds };
}
