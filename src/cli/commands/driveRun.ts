import { EspalierError } from '../../base/errors.ts';
import { settingsWith } from '../../experiment/settingRow.ts';
import { DEFAULT_SEARCH_METHOD } from '../../search/methods.ts';
import { METRIC_SEARCH_SETTINGS } from '../../search/metrics/settings.ts';
import { askedRoles, mayAsk } from '../../search/asking.ts';
import type { AskingPlan } from '../../search/asking.ts';
import type { RunPlan } from '../../search/kinds.ts';
import type { NumberedDevice } from '../../experiment/numberedDevice.ts';
import type { QueueAddress } from '../../queue/queueAddress.ts';
import type { RunFolder } from '../../runs/runFolder.ts';
import { usageError } from './commandContext.ts';
import type { CommandContext } from './commandContext.ts';
import { EXIT } from '../exitCode.ts';
import type { ExitCode } from '../exitCode.ts';
import { askedDevices } from '../flags/deviceFlags.ts';
import { grantFor } from '../flags/llmKeys.ts';
import { humanRunReport, jsonRunReport } from '../reports/runReport.ts';
import { MetricReader } from '../flags/metricReader.ts';
import type { QueueOptions } from '../flags/queueFlags.ts';
import { readFlags, said } from '../flags/saidFlags.ts';
import { kebabCase } from '../flags/flagNames.ts';

/** Flags of every command that drives a run, as commander has parsed them. */
export interface DriveOptions extends QueueOptions {
  readonly resume?: string;
  readonly recover?: true;
  readonly workers?: string;
  readonly devices?: string;
  readonly json?: true;
  /** Of the language model, where the command has that flag. */
  readonly endpoint?: string;
}

/** Flags that say only how a run goes on, and nothing of what it finds. */
const DRIVE_FLAGS: ReadonlySet<string> = new Set<keyof DriveOptions>([
  ...(['resume', 'recover', 'workers', 'devices', 'queue', 'json'] as const),
]);

/** A run to drive. */
export interface DrivenRun {
  readonly run: RunFolder;
  /** Processes, where they are said anew; otherwise as many as its plan says. */
  readonly workers?: number;
  /** One for each process, where they are said. */
  readonly devices?: readonly NumberedDevice[];
  /** Whose workers answer, in the place of processes here. */
  readonly queue?: QueueAddress | undefined;
}

/** What a command goes on with. */
interface ResumedKind {
  readonly kind?: 'recovery';
  /** Flags that may be said of a run that goes on, beside those of all. */
  readonly alsoSaid?: readonly string[];
}

/** A run goes on as it was asked; only what decides nothing but time may be said anew. */
export async function resumedRun(
  id: string,
  file: string | undefined,
  options: Readonly<Record<string, unknown>>,
  context: CommandContext,
  { kind: wanted, alsoSaid = [] }: ResumedKind = {},
): Promise<DrivenRun> {
  const isAllowed = (name: string): boolean => DRIVE_FLAGS.has(name) || alsoSaid.includes(name);
  const other = file ?? Object.keys(options).find((name) => options[name] !== undefined && !isAllowed(name));
  if (other !== undefined) {
    const allowed = ['workers', 'devices', 'queue', 'recover', 'json', ...alsoSaid].filter(
      (name) => wanted !== 'recovery' || (name !== 'workers' && name !== 'devices'),
    );
    throw usageError(
      `--resume with nothing else but ${allowed
        .map((name) => `--${name}`)
        .join(', ')
        .replace(/, ([^,]*)$/, ' and $1')}`,
      other === file ? `the file ${file}` : `--${kebabCase(other)}`,
      'A run goes on as it was asked: leave it out, or begin anew.',
    );
  }
  const flags = said(options, 'workers', 'workers');
  const { content } = await readFlags(DEFAULT_SEARCH_METHOD, flags, new MetricReader(undefined, context.folder));
  const devices = askedDevices(options);
  const workers = flags.length > 0 ? settingsWith(METRIC_SEARCH_SETTINGS, content.search).workers : undefined;
  const { findRun, openRun } = await import('../../runs/runFolder.ts');
  const run = await openRun(await findRun(context.folder, id));
  const isRecovery = run.record.plan.kind === 'recovery';
  if (isRecovery !== (wanted === 'recovery')) {
    throw usageError(
      wanted === 'recovery' ? 'a recovery with espalier recover' : 'a search with espalier search',
      isRecovery ? 'a recovery' : 'a search',
      `Go on with it by: espalier ${isRecovery ? 'recover' : 'search'} --resume ${id}`,
    );
  }
  return { run, ...(workers !== undefined && { workers }), ...(devices && { devices }) };
}

function asksEndpoint(plan: RunPlan): plan is AskingPlan {
  return mayAsk(plan) && plan.llm.provider === 'openai' && askedRoles(plan).length > 0;
}

/** Drives a run to its end, or until Ctrl-C pauses it. @param command that goes on with it */
export async function driveRun(
  { run, workers, devices, queue }: DrivenRun,
  options: DriveOptions,
  context: CommandContext,
  command: string,
): Promise<ExitCode> {
  const { terminal, signal } = context;
  const { runSearchOf } = await import('../../coordinator/coordinator.ts');
  const { deleteRun, journalOf, runName } = await import('../../runs/runFolder.ts');
  const report = options.json ? jsonRunReport(run, terminal) : humanRunReport(run, terminal, command);
  let recalled = 0;
  for await (const records of journalOf(run).more()) {
    for (const record of records) report.recall(record);
    recalled += records.length;
  }
  report.begin();
  const { plan } = run.record;
  try {
    const { keys, ask } = context;
    const isTyped = options.endpoint !== undefined;
    // Of one that is finished nothing is asked any more.
    const grant =
      asksEndpoint(plan) && report.status !== 'finished' ? await grantFor(plan, { keys, ask, isTyped }) : undefined;
    const { kind } = await runSearchOf(run, {
      signal,
      spawn: (device) => context.forkWorker(device),
      ...(workers !== undefined && { workers }),
      ...(devices && { devices }),
      ...(queue && { queue }),
      ...(options.recover && { recover: true }),
      languageModel: { grant },
      onRecovered: (aside) => {
        terminal.say(`the journal as it was is kept as ${aside}`);
      },
      // What another process has found while this one waited for it to be gone.
      onRecalled: (record) => {
        if (record.seq >= recalled) report.recall(record);
      },
      onWait: (message) => {
        terminal.say(message);
      },
      onWorkers: (seen) => {
        report.workers(seen);
      },
      onProgress: (progress) => {
        report.progress(progress);
      },
      onEvent: (record) => {
        report.event(record);
      },
    });
    report.end();
    return kind === 'finished' ? EXIT.ok : EXIT.interrupted;
  } catch (thrown) {
    terminal.status('');
    // What was asked cannot be mended: a run goes on as it was asked.
    const isWrong = thrown instanceof EspalierError && thrown.code === 'settings/invalid';
    if (!options.json && report.isOpen && report.status === 'failed' && !isWrong) {
      terminal.say(`the run failed; once that is mended, go on with: espalier ${command} --resume ${runName(run)}`);
    }
    throw thrown;
  } finally {
    terminal.status('');
    // A model that is not there, a flag that was wrong: nothing was begun that one could go on with.
    if (options.resume === undefined && !report.isOpen) await deleteRun(run.folder);
  }
}
