import { describe, expect, it } from 'vitest';
import { maskPlan, maskProblem, simulateMasks } from './simulation.ts';

describe('policy gradient', () => {
  it.each([1, 2, 3])('finds masks that cost little, problem %i', async (seed) => {
    const problem = maskProblem(seed);
    const { events } = await simulateMasks(maskPlan({ steps: 1500, rate: 0.05 }), problem);
    const perplexities = events.flatMap((event) => (event.kind === 'probabilities' ? [event.perplexity!] : []));
    expect(perplexities.at(-1)).toBeLessThan(perplexities[0]! / 3);
  });
});
