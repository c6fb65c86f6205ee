import { availableParallelism } from 'node:os';
import { cancelledError } from '../base/errors.ts';
import { VERSION } from '../base/version.ts';
import { isAboutSpeed } from '../experiment/costLimit.ts';
import type { NumberedDevice } from '../experiment/numberedDevice.ts';
import { WorkerConnection } from '../protocol/workerConnection.ts';
import type { WorkerProcess } from '../protocol/workerProcess.ts';
import type { RunPlan } from '../search/kinds.ts';
import type { ComponentsOpening, SearchOpening } from '../search/lifecycle/events.ts';
import { runSparsity } from '../search/runMethod.ts';
import type { Clock } from './clock.ts';

/** Milliseconds until a process has to answer. */
const START_LIMIT = 60_000;
/** As `espalier speed` takes it by itself. */
const BATCH = 4;

interface Measuring {
  readonly spawn: (device?: NumberedDevice) => WorkerProcess;
  readonly clock: Clock;
  readonly log: (line: string) => void;
  readonly signal: AbortSignal;
}

/**
 * The plan with what the model's blocks take, where its budget is about speed: as its journal says, or as one process of this machine measures it with
 * all the threads of the plan, before others share them. Every worker, here and over a queue, takes that for granted, so that all come to the same.
 *
 * @throws EspalierError what the measuring failed with; `cancelled`
 */
export async function timedPlan<Plan extends RunPlan>(
  plan: Plan,
  opened: SearchOpening | undefined,
  measuring: Measuring,
): Promise<Plan> {
  const sparsity = runSparsity(plan);
  if (plan.times || sparsity?.kind !== 'budget' || !isAboutSpeed(sparsity.budget)) return plan;
  const known = opened && (opened as Partial<ComponentsOpening>).costs?.times;
  const times = known ?? (await measured(plan, measuring));
  return { ...plan, ...(times && { times }) };
}

async function measured(plan: RunPlan, { spawn, clock, log, signal }: Measuring): Promise<RunPlan['times']> {
  const { device, precision, threads } = plan.settings;
  const worker = new WorkerConnection(spawn(), { version: VERSION, startLimit: START_LIMIT, clock, log });
  const stop = (): void => {
    worker.end(cancelledError('measuring'));
  };
  signal.addEventListener('abort', stop, { once: true });
  try {
    await worker.ready;
    const settings = { device, precision, threads: threads === 0 ? availableParallelism() : threads };
    const asked = { model: plan.model, batch: BATCH, length: 0, settings, times: 'measured' } as const;
    return (await worker.client.request('costs', asked, { signal })).times;
  } finally {
    signal.removeEventListener('abort', stop);
    worker.end(cancelledError('measuring'));
  }
}

/** The plan with what the run was opened with: what a budget of speed means for all that it evaluates. */
export function withTimes<Plan extends RunPlan>(plan: Plan, { costs }: Pick<ComponentsOpening, 'costs'>): Plan {
  return { ...plan, ...(costs?.times && { times: costs.times }) };
}
