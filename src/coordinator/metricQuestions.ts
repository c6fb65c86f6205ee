import type { Timed } from '../experiment/measuringSchema.ts';
import type { MeasureOutcome } from '../search/lifecycle/events.ts';
import type { Rung } from '../search/lifecycle/rung.ts';
import type { Proposal, Trial } from '../search/metrics/effects.ts';
import type { ProbeOutcome } from '../search/metrics/events.ts';
import type { Answering } from './pool.ts';

/** Asks a worker whether metrics can rank, and what masks they make; answers in their order. */
export function askProbe(client: Answering, trials: readonly Trial[]): Promise<readonly Timed<ProbeOutcome>[]> {
  const expressions = trials.map(({ expression }) => expression);
  const against = trials.map((trial) => trial.against ?? null);
  return client.request('probe', { expressions, ...(against.some((other) => other !== null) && { against }) });
}

/** Asks a worker for the losses of metrics on the blocks of a rung; answers in their order. */
export function askMeasure(
  client: Answering,
  proposals: readonly Proposal[],
  { begin, end }: Rung,
): Promise<readonly Timed<MeasureOutcome>[]> {
  return client.request('measure', {
    candidates: proposals.map(({ expression }) => ({ kind: 'metric', expression })),
    on: { kind: 'blocks', begin, end },
  });
}
