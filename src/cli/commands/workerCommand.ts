import { Command, InvalidArgumentError } from 'commander';
import { availableParallelism, hostname } from 'node:os';
import path from 'node:path';
import { VERSION } from '../../base/version.ts';
import { printDevice, readDevices } from '../../experiment/numberedDevice.ts';
import type { NumberedDevice } from '../../experiment/numberedDevice.ts';
import type { QueueHostOptions } from '../../queue/host/queueHost.ts';
import { EXIT } from '../exitCode.ts';
import { parseDuration } from '../flags/duration.ts';
import { addQueueFlag, askedQueue } from '../flags/queueFlags.ts';
import type { QueueOptions } from '../flags/queueFlags.ts';
import { pathCheck } from '../flags/readFolders.ts';
import { workerReport } from '../reports/workerReport.ts';
import { collect, JSON_FLAG, usageError, withExamples } from './commandContext.ts';
import type { CommandContext } from './commandContext.ts';

interface WorkerOptions extends QueueOptions {
  readonly device?: string;
  readonly devices?: string;
  readonly threads?: number;
  readonly folder?: string;
  readonly read?: readonly string[];
  readonly name?: string;
  readonly untilIdle?: number;
  readonly grace: number;
  readonly json?: true;
}

/** Slurm and Kubernetes kill 30 seconds after they have asked. */
const GRACE = 20_000;

export function workerCommand(context: CommandContext): Command {
  const command = new Command('worker').description(
    'answer questions of searches and experiments that run elsewhere, over a queue, until it is told to leave',
  );
  addQueueFlag(command, 'the queue')
    .option('--device <device>', 'device that it has, as cpu or cuda:0 (default: what each plan says)')
    .option('--devices <list>', 'several of them with an engine each, as cuda:0,cuda:1')
    .option('--threads <number>', 'CPU threads of all its engines (default: every core)', parseThreads)
    .option('--folder <folder>', 'workspace that relative paths of plans start from (default: the current folder)')
    .option('--read <folder>', 'reads nothing outside of it but its own caches; may be repeated', collect)
    .option('--name <name>', 'what it is called (default: the machine, and its device or process)')
    .option('--until-idle <duration>', 'leaves after so long without work, such as 10m', parseDuration)
    .option(
      '--grace <duration>',
      'how long it works on at a question when it is told to leave, before it gives it back',
      parseDuration,
      GRACE,
    )
    .option(...JSON_FLAG)
    .action((options: WorkerOptions) => work(options, context));
  return withExamples(command, [
    ['on this machine, until Ctrl-C', 'espalier worker --queue redis://host'],
    ['on two GPUs, an engine each', 'espalier worker --queue redis://host --devices cuda:0,cuda:1'],
    ['eight of them on a cluster, until nothing is left to do', SLURM],
  ]);
}

const SLURM = 'srun -n 8 espalier worker --queue --until-idle 10m';

async function work(options: WorkerOptions, context: CommandContext): Promise<void> {
  const { terminal, signal, variables = {} } = context;
  const address = askedQueue({ queue: options.queue ?? true }, variables)!;
  const devices = devicesOf(options);
  const folder = path.resolve(context.folder, options.folder ?? '.');
  const threads = Math.max(1, Math.floor((options.threads ?? availableParallelism()) / devices.length));
  const [{ QueueServer }, { Directory }, { QueueHost }] = await Promise.all([
    import('../../queue/queueServer.ts'),
    import('../../queue/directory.ts'),
    import('../../queue/host/queueHost.ts'),
  ]);
  const report = workerReport(terminal, options.json === true);
  const server = await QueueServer.connect(address, { log: report.log });
  const directory = new Directory(server);
  report.begin(address.shown, VERSION, folder);
  const hostOf = (device: NumberedDevice | undefined): QueueHostOptions => {
    const name = nameOf(options.name, device, devices.length);
    return {
      ...{ server, directory, signal, name },
      place: {
        ...{ folder, threads },
        ...(device && { device: device.device }),
        checkPath: pathCheck(options.read, context.folder),
      },
      device: device ? printDevice(device) : 'as plans say',
      spawn: () => context.forkWorker(device),
      grace: options.grace,
      untilIdle: options.untilIdle,
      ...report.of(name),
    };
  };
  try {
    const ends = await Promise.allSettled(devices.map((device) => new QueueHost(hostOf(device)).run()));
    for (const end of ends) if (end.status === 'rejected') throw end.reason;
  } finally {
    await Promise.race([
      server.close(),
      new Promise((resolve) => {
        setTimeout(resolve, CLOSING).unref();
      }),
    ]);
  }
  context.finish(signal.aborted ? EXIT.interrupted : EXIT.ok);
}

/** Milliseconds for saying good-bye to a server that may be gone. */
const CLOSING = 3000;

/** @throws EspalierError `cli/usage`, `settings/invalid` */
function devicesOf({ device, devices }: WorkerOptions): readonly (NumberedDevice | undefined)[] {
  if (device !== undefined && devices !== undefined) {
    throw usageError('--device or --devices', 'both', 'Leave one of them out.');
  }
  const list = device ?? devices;
  if (list === undefined) return [undefined];
  const read = readDevices(list);
  if (device !== undefined && read.length > 1) {
    throw usageError('--device with one device', `${read.length} of them`, 'Say --devices for several.');
  }
  return read;
}

/** Host, and what tells it from others there. */
function nameOf(asked: string | undefined, device: NumberedDevice | undefined, count: number): string {
  if (asked !== undefined) return count > 1 && device ? `${asked}/${printDevice(device)}` : asked;
  return `${hostname()}/${device && device.device !== 'cpu' ? printDevice(device) : process.pid}`;
}

function parseThreads(text: string): number {
  const threads = /^\d{1,4}$/.test(text) ? Number(text) : 0;
  if (threads >= 1 && threads <= 1024) return threads;
  throw new InvalidArgumentError('It takes a whole number from 1 to 1024.');
}
