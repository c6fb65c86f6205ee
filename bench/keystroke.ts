import { spawn } from 'node:child_process';
import { createMessageConnection, StreamMessageReader, StreamMessageWriter } from 'vscode-jsonrpc/node';
import type { MessageConnection } from 'vscode-jsonrpc/node';
import { median } from './report.ts';

const URI = 'file:///bench.prune';

/**
 * Milliseconds from a keystroke to its diagnostics in a file of `metrics` metrics: the language server in its own process, asked
 * as an editor does. The median of 30 keystrokes, each in another metric, every second one a mistake.
 */
export async function keystrokeMilliseconds(server: string, metrics: number): Promise<number> {
  const child = spawn(process.execPath, [server, '--stdio'], { stdio: ['pipe', 'pipe', 'inherit'] });
  const gone = new Promise((resolve) => child.on('exit', resolve));
  const connection = createMessageConnection(
    new StreamMessageReader(child.stdout),
    new StreamMessageWriter(child.stdin),
  );
  connection.listen();
  try {
    const text = sampleFile(metrics);
    const published = waitForDiagnostics(connection);
    await connection.sendRequest('initialize', { processId: process.pid, rootUri: null, capabilities: CAPABILITIES });
    await connection.sendNotification('initialized', {});
    const opened = published(1);
    await connection.sendNotification('textDocument/didOpen', {
      textDocument: { uri: URI, languageId: 'prune', version: 1, text },
    });
    await opened;
    const times: number[] = [];
    for (let i = 0; i < 30; i++) {
      const line = Math.floor((metrics * (i + 0.5)) / 30);
      const mistake = i % 2 === 0;
      const at = { line, character: text.split('\n')[line]!.indexOf('sqrt') + (mistake ? 2 : 0) };
      const version = i + 2;
      const answered = published(version);
      const began = performance.now();
      await connection.sendNotification('textDocument/didChange', {
        textDocument: { uri: URI, version },
        contentChanges: [{ range: { start: at, end: at }, text: mistake ? 'x' : ' ' }],
      });
      await answered;
      times.push(performance.now() - began);
    }
    return median(times);
  } finally {
    connection.dispose();
    child.kill();
    await gone;
  }
}

const CAPABILITIES = { textDocument: { publishDiagnostics: { versionSupport: true } } };

/** What to wait for: the diagnostics of a version of the file. */
function waitForDiagnostics(connection: MessageConnection): (version: number) => Promise<void> {
  const waiting = new Map<number, () => void>();
  connection.onNotification('textDocument/publishDiagnostics', ({ version }: { version: number }) => {
    waiting.get(version)?.();
  });
  return (version) => new Promise((resolve) => waiting.set(version, resolve));
}

/** Metrics that use each other, one a line. */
function sampleFile(metrics: number): string {
  const line = (i: number) =>
    `metric metric_${i} = abs(W * W) * mms(X) + ${i % 5 === 1 ? `metric_${i - 1}` : 'W'} * sqrt(X)`;
  return Array.from({ length: metrics }, (_, i) => line(i)).join('\n');
}
