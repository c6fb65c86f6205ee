import type { MeasureOutcome, ProbeOutcome, SearchEvent } from '../search/metrics/events.ts';
import { printPrefix } from '../metric/print.ts';
import type { Proposal, SearchEffects } from '../search/metrics/effects.ts';
import type { History } from './history.ts';
import { Pace } from './pace.ts';
import { ask } from './questions.ts';
import type { Answered } from './questions.ts';
import type { WorkerPool } from './workerPool.ts';

export interface EffectsOptions {
  readonly history: History;
  readonly pool: WorkerPool;
  /** Settles when the events are on the disk. */
  readonly append: (...events: readonly SearchEvent[]) => Promise<void>;
  /** Milliseconds, from any origin. */
  readonly now: () => number;
}

/**
 * What a search asks is answered from the journal where it has the answer, and by the workers otherwise; no answer is given that is
 * not on the disk, and none is asked for twice.
 */
export function journaledEffects({ history, pool, append, now }: EffectsOptions): SearchEffects {
  const probePace = new Pace(now);
  /** By the number of blocks of a rung, which is what decides its time. */
  const measurePaces = new Map<number, Pace>();

  return {
    probe: async (candidates) => {
      const answers = new Map<number, ProbeOutcome>();
      const unknown: Proposal[] = [];
      for (const candidate of candidates) {
        const known = history.probe(candidate);
        if (known) answers.set(candidate.id, known);
        else unknown.push(candidate);
      }
      await ask<Proposal, ProbeOutcome>(pool, {
        items: unknown,
        pace: probePace,
        ask: (client, proposals) =>
          client.request('probe', { expressions: proposals.map(({ expression }) => expression) }),
        settle: async (answered) => {
          const events: SearchEvent[] = [];
          for (const one of answered) {
            const { item: proposal, seconds } = one;
            const probe = 'answer' in one ? one.answer : quarantine(one, events);
            answers.set(proposal.id, probe);
            events.push({
              kind: 'probed',
              id: proposal.id,
              expression: printPrefix(proposal.expression),
              probe,
              seconds,
            });
          }
          await append(...events);
        },
      });
      return candidates.map(({ id }) => answers.get(id)!);
    },

    measure: async (candidates, { index: rung, begin, end }) => {
      const answers = new Map<number, MeasureOutcome>();
      const unknown: Proposal[] = [];
      for (const candidate of candidates) {
        const known = history.measure(candidate, rung);
        if (known) answers.set(candidate.id, known);
        else unknown.push(candidate);
      }
      let pace = measurePaces.get(end - begin);
      if (!pace) measurePaces.set(end - begin, (pace = new Pace(now)));
      await ask<Proposal, MeasureOutcome>(pool, {
        items: unknown,
        pace,
        ask: (client, proposals) =>
          client.request('measure', {
            candidates: proposals.map(({ expression }) => ({ kind: 'metric', expression })),
            on: { kind: 'blocks', begin, end },
          }),
        settle: async (answered) => {
          const events: SearchEvent[] = [];
          for (const one of answered) {
            const { item: proposal, seconds } = one;
            const measure = 'answer' in one ? one.answer : quarantine(one, events);
            answers.set(proposal.id, measure);
            events.push({ kind: 'measured', id: proposal.id, rung, measure, seconds });
          }
          await append(...events);
        },
      });
      return candidates.map(({ id }) => answers.get(id)!);
    },

    emit: (event) => {
      // What follows from the answers is worked out again from them, so nobody waits for its flush. A journal that fails here fails
      // at the next answer too.
      if (!history.has(event)) append(event).catch(() => undefined);
      return Promise.resolve();
    },
  };
}

/** Says why a candidate is not tried again, and gives what it counts as from now on. */
function quarantine(
  { item: proposal, quarantined }: Extract<Answered<Proposal, unknown>, { readonly quarantined: unknown }>,
  events: SearchEvent[],
): Extract<ProbeOutcome & MeasureOutcome, { readonly kind: 'invalid' }> {
  // A baseline has no candidate's id; that its worker ended is in the baseline's own event.
  if (proposal.id >= 0) {
    const expression = printPrefix(proposal.expression);
    events.push({ kind: 'quarantined', id: proposal.id, expression, error: quarantined.data });
  }
  return { kind: 'invalid', reason: 'quarantined', detail: quarantined.data.actual };
}
