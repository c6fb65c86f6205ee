import { Command } from 'commander';
import { EspalierError } from '../../base/errors.ts';
import type { Directory } from '../../queue/directory.ts';
import type { QueueServer } from '../../queue/queueServer.ts';
import { EXIT } from '../exitCode.ts';
import { addQueueFlag, askedQueue } from '../flags/queueFlags.ts';
import type { QueueOptions } from '../flags/queueFlags.ts';
import { queueJson, queueLines } from '../reports/queueReport.ts';
import { JSON_FLAG, usageError, withExamples } from './commandContext.ts';
import type { CommandContext } from './commandContext.ts';

interface QueueCommandOptions extends QueueOptions {
  readonly forget?: string;
  readonly watch?: true;
  readonly json?: true;
}

/** Milliseconds between two looks with `--watch`. */
const AGAIN = 2000;

export function queueCommand(context: CommandContext): Command {
  const command = new Command('queue').description('who asks and who answers over a queue, and what was left behind');
  addQueueFlag(command, 'the queue')
    .option('--watch', 'look again every two seconds, until Ctrl-C')
    .option(
      '--forget <key>',
      'remove a run that was left behind with its questions, or a worker, once it gives no sign of life',
    )
    .option(...JSON_FLAG)
    .action((options: QueueCommandOptions) => show(options, context));
  return withExamples(command, [
    ['who is there', 'espalier queue --queue redis://host'],
    ['what a coordinator that was killed has left', 'espalier queue --forget 0123456789abcdef'],
    [
      'answers a minute, of each worker',
      `espalier queue --json | jq -r 'select(.kind == "worker") | [.name, .perMinute] | @tsv'`,
    ],
  ]);
}

async function show(options: QueueCommandOptions, context: CommandContext): Promise<void> {
  const { terminal, signal, variables = {} } = context;
  const { forget, watch, json } = options;
  if (forget !== undefined && watch) throw usageError('--watch or --forget', 'both', 'Leave one of them out.');
  const address = askedQueue({ queue: options.queue ?? true }, variables)!;
  const [{ QueueServer }, { Directory }, { lookAtQueue }] = await Promise.all([
    import('../../queue/queueServer.ts'),
    import('../../queue/directory.ts'),
    import('../../queue/overview.ts'),
  ]);
  const server = await QueueServer.connect(address, {
    log: (line) => {
      terminal.say(line);
    },
  });
  try {
    const directory = new Directory(server);
    if (forget !== undefined) {
      await remove(forget, server, directory, context);
      terminal.print(json ? JSON.stringify({ forgotten: forget }) : `${forget} is forgotten`);
    } else {
      const onWait = (): void => {
        terminal.status('looking for signs of life …');
      };
      do {
        const seen = await lookAtQueue(server, directory, { signal, onWait });
        terminal.print(json ? queueJson(seen) : queueLines(seen, address.shown));
        if (watch) await until(signal, AGAIN);
        if (watch && !json && !signal.aborted) terminal.print('');
      } while (watch && !signal.aborted);
    }
  } finally {
    await server.close();
  }
  context.finish(signal.aborted ? EXIT.interrupted : EXIT.ok);
}

/** @throws EspalierError `runs/in-use` where it lives, `runs/not-found` */
async function remove(
  name: string,
  server: QueueServer,
  directory: Directory,
  { terminal, signal }: CommandContext,
): Promise<void> {
  const [{ isLeftBehind }, { queueOfRun }, { SILENCE }] = await Promise.all([
    import('../../queue/overview.ts'),
    import('../../queue/questionQueue.ts'),
    import('../../queue/beats.ts'),
  ]);
  const { runs, workers } = directory;
  const foreign = [...(await runs.listForeign()), ...(await workers.listForeign())].some(
    (entry) => entry.name === name,
  );
  const run = await runs.get(name);
  const worker = await workers.get(name);
  if (!run && !worker && !foreign) throw missingError(name);
  if (!foreign) {
    terminal.status(`looking for a sign of life for ${SILENCE / 1000} s …`);
    const look = () => (run ? runs.get(name) : workers.get(name));
    if (!(await isLeftBehind(look, SILENCE, signal))) throw aliveError(name);
  }
  if (/^[0-9a-f]{16}$/.test(name)) {
    const queue = server.queue(queueOfRun(name));
    await queue.clear();
    await queue.close();
  }
  await runs.remove(name);
  await workers.remove(name);
}

function missingError(name: string): EspalierError {
  return new EspalierError({
    code: 'runs/not-found',
    operation: 'forgetting what was left behind',
    expected: 'the key of a run, or the id of a worker, that stands in the queue',
    actual: name,
    remedy: '`espalier queue` lists them.',
  });
}

function aliveError(name: string): EspalierError {
  return new EspalierError({
    code: 'runs/in-use',
    operation: `forgetting ${name}`,
    expected: 'no sign of life',
    actual: 'one that is there',
    remedy: 'Pause the run where it is driven, or end the worker; both then remove what is theirs.',
  });
}

function until(signal: AbortSignal, milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
