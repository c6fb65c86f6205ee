import { describeError } from '../../base/errors.ts';
import { plainLine } from '../../base/plainText.ts';
import type { QueueOverview, SeenRun } from '../../queue/overview.ts';
import type { WorkerEntry } from '../../queue/wire.ts';

/** What stands in a queue, as lines for a terminal. */
export function queueLines({ runs, workers, foreign }: QueueOverview, shown: string): readonly string[] {
  const lines = [shown, ''];
  if (workers.length === 0) lines.push('no workers; one begins by: espalier worker --queue');
  else {
    lines.push(workerRow('worker', 'state', 'device', 'answers', 'a minute', 'last seen', 'run'));
    for (const { entry, isSilent } of workers) lines.push(...workerLines(entry, isSilent, titlesOf(runs)));
  }
  lines.push('');
  if (runs.length === 0) lines.push('no runs; one begins by: espalier search FILE --queue');
  else {
    lines.push(runRow('run', 'asked by', 'waiting', 'active', 'workers', 'title'));
    for (const run of runs) lines.push(...runLines(run));
  }
  if (foreign.length > 0) {
    lines.push('', 'of other versions, or unreadable:');
    for (const { name, format, version } of foreign)
      lines.push(`  ${plainLine(name, 60)}  format ${plainLine(format, 20)}, Espalier ${plainLine(version, 20)}`);
  }
  return lines;
}

/** The same as objects, one a line. */
export function queueJson({ runs, workers, foreign }: QueueOverview): readonly string[] {
  return [
    ...workers.map(({ entry, isSilent }) => ({ kind: 'worker', ...entry, silent: isSilent })),
    ...runs.map(({ entry: { work, ...entry }, waiting, active, workers: at, isSilent }) => ({
      ...{ kind: 'run', ...entry, work: work.kind, model: work.plan.model },
      ...{ waiting, active, workers: at, silent: isSilent },
    })),
    ...foreign.map((entry) => ({ kind: 'foreign', ...entry })),
  ].map((line) => JSON.stringify(line));
}

function workerLines(entry: WorkerEntry, isSilent: boolean, titles: ReadonlyMap<string, string>): readonly string[] {
  const { name, state, of, answered, perMinute, seenAt, run, refused, id } = entry;
  const title = run === null ? '' : (titles.get(run) ?? run);
  return [
    workerRow(
      plainLine(name, 40),
      isSilent ? 'left behind' : state,
      plainLine(of?.deviceName ?? '', 40),
      String(answered),
      perMinute.toFixed(1),
      isSilent ? timeText(seenAt) : 'now',
      plainLine(title, 60),
    ),
    ...(isSilent ? [`  no sign of life: espalier queue --forget ${id}`] : []),
    ...refused.map(
      ({ run: key, error }) =>
        `  does not answer “${plainLine(titles.get(key) ?? key, 60)}”: ${plainLine(describeError(error), 400)}`,
    ),
  ];
}

function runLines({ entry, waiting, active, workers, isSilent }: SeenRun): readonly string[] {
  const { key, owner, title, class: of, seenAt } = entry;
  const who = `${plainLine(owner.host, 30)}, ${owner.pid}`;
  const { deviceName, precision } = of?.of ?? {};
  return [
    runRow(key, who, String(waiting), String(active), String(workers), plainLine(title, 60)),
    of ? `  class: ${plainLine(deviceName ?? '', 60)}, ${precision ?? ''}` : '  class: not opened yet',
    ...(isSilent
      ? [`  left behind: nobody asks any more (last seen ${timeText(seenAt)}): espalier queue --forget ${key}`]
      : []),
  ];
}

function titlesOf(runs: readonly SeenRun[]): ReadonlyMap<string, string> {
  return new Map(runs.map(({ entry }) => [entry.key, entry.title]));
}

/** By the clock of who wrote it. */
function timeText(milliseconds: number): string {
  // What is no time in any calendar is anybody's number.
  return milliseconds <= 8.64e15 ? new Date(milliseconds).toISOString().slice(0, 16).replace('T', ' ') : 'never';
}

function workerRow(...[name, state, device, answered, rate, seen, run]: readonly string[]): string {
  return `${name!.padEnd(24)}  ${state!.padEnd(11)}  ${device!.padEnd(32)}  ${answered!.padStart(8)}  ${rate!.padStart(8)}  ${seen!.padEnd(16)}  ${run!}`.trimEnd();
}

function runRow(...[key, who, waiting, active, workers, title]: readonly string[]): string {
  return `${key!.padEnd(16)}  ${who!.padEnd(24)}  ${waiting!.padStart(7)}  ${active!.padStart(6)}  ${workers!.padStart(7)}  ${title!}`;
}
