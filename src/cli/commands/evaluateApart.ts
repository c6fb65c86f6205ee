import { canonicalJson } from '../../base/canonicalJson.ts';
import { cancelledError } from '../../base/errors.ts';
import { evaluateParts } from '../../coordinator/evaluateParts.ts';
import { localExperimentPool, queuedExperimentPool } from '../../coordinator/experimentPool.ts';
import type { Pool } from '../../coordinator/pool.ts';
import { partsOf } from '../../experiment/parts.ts';
import type { EvaluationPlan } from '../../experiment/planSchema.ts';
import type { EvaluationProgress, EvaluationResult } from '../../experiment/resultSchema.ts';
import type { TaskDocument } from '../../experiment/taskSchema.ts';
import type { ExitCode } from '../exitCode.ts';
import type { Evaluators } from '../flags/apartFlags.ts';
import type { EvaluationReport } from '../reports/evaluationReport.ts';
import { OrderedReport } from '../reports/orderedReport.ts';
import { progressLine } from '../reports/progressBar.ts';
import { timeLeft } from '../reports/timeLeft.ts';
import type { CommandContext } from './commandContext.ts';

export interface ApartOptions {
  readonly evaluators: Exclude<Evaluators, { readonly kind: 'here' }>;
  /** Whether the documents of tasks are reported, too. */
  readonly details: boolean;
}

/** An evaluation among all, to be asked by itself. */
interface Cell {
  readonly plan: number;
  readonly index: number;
  readonly part: EvaluationPlan;
}

/** Evaluations whose plans are opened alike. */
interface Group {
  readonly opening: EvaluationPlan;
  readonly cells: Cell[];
  /** Plans that ask for the dense model alone. */
  readonly dense: number[];
}

/**
 * Evaluates plans as `evaluatePlans` does, each evaluation a question of its own to the workers of a pool; results are reported in the order of the
 * plans as soon as those before them are there.
 *
 * @throws EspalierError what is no single evaluation's fault; what was found until then is reported
 */
export async function evaluateApart(
  plans: readonly EvaluationPlan[],
  report: EvaluationReport,
  context: CommandContext,
  { evaluators, details }: ApartOptions,
): Promise<ExitCode> {
  const { terminal } = context;
  const groups = groupsOf(plans, details);
  const ordered = new OrderedReport(plans, report);
  const total = groups.reduce((sum, { cells, dense }) => sum + cells.length + dense.length, 0);
  const left = timeLeft(() => performance.now() / 1000);
  let done = 0;
  const show = (progress: EvaluationProgress): void => {
    terminal.status(progressLine(progress, terminal.statusWidth, left(progress)));
  };
  const settled = (): void => {
    done++;
    show({ stage: 'evaluating', done, total, detail: `${done} of ${total} evaluations` });
  };
  const evaluate = (group: Group, signal: AbortSignal): Promise<void> =>
    evaluateGroup(group, signal, {
      openPool: (opening) =>
        openPool(opening, evaluators, context, (progress) => {
          if (done === 0) show(progress);
        }),
      report: ordered,
      settled,
    });
  const failed = new AbortController();
  const signal = AbortSignal.any([context.signal, failed.signal]);
  let running: readonly Promise<void>[] = [];
  try {
    // Those of a queue share nothing of this machine.
    if (evaluators.kind === 'queue') running = groups.map((group) => evaluate(group, signal));
    for (const each of running) each.catch(() => undefined);
    // Where several fail it is the first of them that is told, as if one had been evaluated after the other.
    for (const [place, group] of groups.entries()) await (running[place] ?? evaluate(group, signal));
  } finally {
    failed.abort();
    await Promise.allSettled(running);
    ordered.end();
    terminal.status('');
  }
  return ordered.code;
}

async function openPool(
  opening: EvaluationPlan,
  evaluators: ApartOptions['evaluators'],
  context: CommandContext,
  onProgress: (progress: EvaluationProgress) => void,
): Promise<Pool<EvaluationResult>> {
  const { terminal } = context;
  const log = (): void => undefined;
  if (evaluators.kind === 'queue') {
    return queuedExperimentPool(opening, {
      ...{ address: evaluators.address, root: context.folder, signal: context.signal, log },
      say: (message) => {
        terminal.say(message);
      },
      onWorkers: () => undefined,
    });
  }
  return localExperimentPool(opening, {
    ...evaluators,
    spawn: (device) => context.forkWorker(device),
    onProgress,
    log,
  });
}

interface GroupHooks {
  readonly openPool: (opening: EvaluationPlan) => Promise<Pool<EvaluationResult>>;
  readonly report: OrderedReport;
  readonly settled: () => void;
}

async function evaluateGroup(
  { opening, cells, dense }: Group,
  signal: AbortSignal,
  { openPool, report, settled }: GroupHooks,
): Promise<void> {
  const pool = await openPool(opening);
  const stop = (): void => void pool.dispose(cancelledError('evaluating'));
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  try {
    const result = await pool.open();
    for (const plan of dense) {
      report.result(plan, 0, ...withDocuments(result));
      settled();
    }
    await evaluateParts(
      pool,
      cells.map(({ part }) => part),
      (outcome, place) => {
        const { plan, index } = cells[place]!;
        if (outcome.kind === 'result') report.result(plan, index, ...withDocuments(outcome.result));
        else report.failure(plan, index, outcome.error);
        settled();
      },
    );
  } finally {
    signal.removeEventListener('abort', stop);
    await pool.dispose(cancelledError('evaluating'));
  }
}

/** In the order of their first plans. */
function groupsOf(plans: readonly EvaluationPlan[], details: boolean): readonly Group[] {
  const groups = new Map<string, Group>();
  for (const [place, plan] of plans.entries()) {
    const { opening, parts } = partsOf(plan, details);
    const key = canonicalJson(opening);
    const group = groups.get(key) ?? { opening, cells: [], dense: [] };
    groups.set(key, group);
    if (parts.length === 0) group.dense.push(place);
    for (const [index, part] of parts.entries()) group.cells.push({ plan: place, index, part });
  }
  return [...groups.values()];
}

function withDocuments({ documents = [], ...result }: EvaluationResult): [EvaluationResult, readonly TaskDocument[]] {
  return [result, documents];
}
