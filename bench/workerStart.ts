import { fork } from 'node:child_process';
import { IPCMessageReader, IPCMessageWriter } from 'vscode-jsonrpc/node';
import { version } from '../package.json';
import { EspalierError } from '../src/base/errors.ts';
import type { EvaluationPlan } from '../src/experiment/planSchema.ts';
import { ProtocolClient } from '../src/protocol/client.ts';

/** Forks a worker as the editor does and times it up to the result of its first plan, in seconds. @param cacheFolder that it is given */
export async function firstEvaluationSeconds(
  worker: string,
  cacheFolder: string,
  plan: EvaluationPlan,
): Promise<number> {
  const began = process.hrtime.bigint();
  const child = fork(worker, [cacheFolder], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  const gone = new Promise<void>((resolve) => child.on('exit', resolve));
  const client = new ProtocolClient(new IPCMessageReader(child), new IPCMessageWriter(child), {
    log: () => undefined,
    onBroken: (reason) => {
      client.dispose(broken(reason));
    },
  });
  try {
    await client.initialize(version);
    await client.request('evaluate', plan);
    const seconds = Number(process.hrtime.bigint() - began) / 1e9;
    await client.request('shutdown', {});
    return seconds;
  } finally {
    client.dispose(broken('the measurement is over'));
    child.kill();
    await gone;
  }
}

function broken(reason: string): EspalierError {
  return new EspalierError({
    code: 'worker/exited',
    operation: 'timing the worker',
    expected: 'an evaluation',
    actual: reason,
    remedy: 'Run the worker by hand to see why.',
  });
}
