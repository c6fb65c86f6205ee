import { describe, expect, it } from 'vitest';
import { rateProblem, ratePlan, simulateRates } from './simulation.ts';

describe('Self-Pruner with classical operators', () => {
  it.each([1, 2, 3, 4])('beats uniform and OWL, problem %i', async (seed) => {
    const problem = rateProblem(seed);
    const { outcome, events, requests } = await simulateRates(ratePlan({ generations: 20 }), problem);
    const baselines = events.flatMap((event) => (event.kind === 'rate-baseline' ? [event.perplexity!] : []));
    expect(baselines).toHaveLength(2);
    expect(requests).toEqual([]);
    expect(outcome.finalists[0]!.perplexity).toBeLessThan(Math.min(...baselines));
  });
});
