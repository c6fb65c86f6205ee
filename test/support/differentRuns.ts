import type { RunEvent, RunPlan } from '../../src/search/kinds.ts';
import type { MetricEvent } from '../../src/search/metrics/events.ts';
import type { RateEvent } from '../../src/search/rates/events.ts';
import { syntheticEvoPress, syntheticEvoPressPlan } from './syntheticEvoPress.ts';
import { syntheticRecovery, syntheticRecoveryPlan } from './syntheticRecovery.ts';
import { syntheticPlan, syntheticProposingPlan, syntheticSearch } from './syntheticSearch.ts';
import type { TimedEvent } from './syntheticSearch.ts';
import { syntheticMaskPlan, syntheticMasks, syntheticRatePlan, syntheticRates } from './syntheticStructure.ts';
import type { Timed } from './syntheticStructure.ts';

export interface SyntheticRun {
  readonly plan: RunPlan;
  readonly events: readonly Timed<RunEvent>[];
}

const OFFSPRING = 50;

/** Runs of every kind and method that never were, each of about so many candidates (or masks, or steps). */
export async function differentRuns(candidates: number): Promise<readonly SyntheticRun[]> {
  const population = Math.min(OFFSPRING, candidates);
  const search = { population, generations: Math.ceil(candidates / population) };
  const metrics = (plan: ReturnType<typeof syntheticPlan>, seed: number, until?: number): SyntheticRun => ({
    plan,
    events: asJournaled(syntheticSearch(plan, { seed, ...(until !== undefined && { until }) })),
  });
  const rates = syntheticRatePlan({ generations: Math.ceil(candidates / 8) });
  const evoPress = { offspring: population, generations: search.generations };
  const sublayers = syntheticEvoPressPlan({ ...evoPress, drop: 'sublayers' });
  const masks = syntheticMaskPlan({ steps: Math.ceil(candidates / 2) });
  const recovery = syntheticRecoveryPlan({ steps: candidates });
  return [
    metrics(syntheticPlan({ ...search, seed: 0 }), 1),
    metrics(syntheticPlan({ ...search, seed: 1 }), 2),
    metrics(syntheticPlan({ ...search, method: 'random' }), 3),
    metrics(syntheticPlan({ ...search, evolution: 'steady-state' }), 4, Math.ceil(search.generations / 2)),
    metrics(syntheticProposingPlan(search), 5),
    { plan: rates, events: goneOn(syntheticRates(rates, { seed: 1, blocks: 12, until: 20 }), candidates) },
    ...[syntheticEvoPressPlan(evoPress), sublayers].map((plan) => ({
      plan,
      events: goneOn(syntheticEvoPress(plan, { seed: 2, blocks: 12, until: 8 }), candidates),
    })),
    { plan: masks, events: syntheticMasks(masks, { seed: 3 }) },
    { plan: recovery, events: await syntheticRecovery(recovery, { seed: 4 }) },
  ];
}

/** The same generations again and again, each time a little better: making them anew would take a while. */
function goneOn(events: readonly Timed<RateEvent>[], candidates: number): readonly Timed<RateEvent>[] {
  const first = events.findLastIndex(({ event }) => event.kind === 'baseline') + 1;
  const body = events.slice(first);
  const ids = body.filter(({ event }) => event.kind === 'candidate').length;
  const generations = body.filter(({ event }) => event.kind === 'generation').length;
  const calls = body.filter(({ event }) => event.kind === 'llm-asked').length;
  const span = body.at(-1)!.at - body[0]!.at + 5000;
  const all = [...events];
  for (let round = 1; round * ids < candidates; round++) {
    const better = 0.999 ** round;
    const numbers: Readonly<Record<string, (value: number) => number>> = {
      id: (id) => id + round * ids,
      of: (id) => id + round * ids,
      call: (call) => call + round * calls,
      generation: (generation) => generation + round * generations,
      perplexity: (perplexity) => better * perplexity,
      evaluations: (evaluations) => evaluations + round * ids,
      candidates: (count) => count + round * ids,
    };
    for (const { at, event } of body) {
      const later = JSON.parse(JSON.stringify(event), (key, value: unknown) =>
        typeof value === 'number' && Object.hasOwn(numbers, key) ? numbers[key]!(value) : value,
      ) as RateEvent;
      all.push({ seq: all.length, at: at + round * span, event: later });
    }
  }
  return all;
}

/** With the checks and measurements that a real search for metrics has. */
export function asJournaled(events: readonly TimedEvent[]): Timed<MetricEvent>[] {
  const all = events.flatMap(({ at, event }): Omit<Timed<MetricEvent>, 'seq'>[] => {
    if (event.kind !== 'candidate') return [{ at, event }];
    const { id, expression, outcome } = event;
    const probe = { kind: 'ranks', fingerprint: 'a'.repeat(64), whole: false } as const;
    const loss = { kind: 'loss', blocks: 21, loss: 5.0123456789 } as const;
    const isMeasured = outcome.kind === 'full' || outcome.kind === 'stopped';
    return [
      { at, event: { kind: 'probed', id, expression, probe, seconds: 0.0123456 } },
      ...(isMeasured
        ? [{ at, event: { kind: 'measured', id, rung: 0, measure: loss, seconds: 0.123456 } as const }]
        : []),
      { at, event },
    ];
  });
  return all.map((each, seq) => ({ seq, ...each }));
}
