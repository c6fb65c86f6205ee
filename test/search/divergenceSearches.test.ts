import { describe, expect, it } from 'vitest';
import { fitnessIn } from '../../src/search/lifecycle/objective.ts';
import { evoPressPlan, noisyProblem, simulateRates } from './rates/simulation.ts';
import { maskPlan, maskProblem, simulateMasks } from './masks/simulation.ts';
import { planOf, simulate, simulation } from './metrics/simulation.ts';

// A divergence is the loss over the dense model's: searches decide alike where it differs from block to block as that does.

describe('a search by divergence', () => {
  it('for metrics decides as one by the loss over dense, and says kl where that says perplexity', async () => {
    const problem = simulation(3);
    const { opening, measure } = problem;
    const zeros = opening.denseLosses.map(() => 0);
    const apart = {
      ...problem,
      opening: { ...opening, objective: 'kl' as const, denseLosses: zeros },
      measure: (...[expression, rung]: Parameters<typeof measure>) => {
        const answer = measure(expression, rung);
        if (answer.kind === 'invalid') return answer;
        const dense = opening.denseLosses.slice(rung.begin, rung.end).reduce((sum, loss) => sum + loss, 0);
        return { ...answer, loss: answer.loss - dense / answer.blocks };
      },
    };
    const plan = planOf({ population: 20, generations: 4, seed: 5 });
    const [plain, kl] = [await simulate(plan, problem), await simulate(plan, apart)];
    expect(kl.questions).toEqual(plain.questions);
    expect(kl.outcome.finalists.map(({ id }) => id)).toEqual(plain.outcome.finalists.map(({ id }) => id));
    expect(kl.outcome.finalists[0]!.fitness).toBeCloseTo(
      Math.log(plain.outcome.finalists[0]!.fitness) - Math.log(opening.densePerplexity),
      9,
    );
    expect(kl.events.length).toBe(plain.events.length);
    expect(JSON.stringify(kl.events)).not.toContain('"perplexity"');
    expect(JSON.stringify(plain.events)).not.toContain('"kl"');
  });

  it('for rates says kl, with estimates around 0 and not around the dense loss', async () => {
    const problem = noisyProblem(2, 6, 8);
    const { opening, lossOf } = problem;
    const apart = {
      opening: { ...opening, objective: 'kl' as const, denseLosses: opening.denseLosses.map(() => 0) },
      lossOf: (rates: readonly number[]) => lossOf(rates) - 3,
    };
    const plan = evoPressPlan({ offspring: 6, rounds: [1, 4], survivors: [2, 1], generations: 3 });
    const { events } = await simulateRates(plan, apart);
    const candidates = events.flatMap((event) => (event.kind === 'candidate' ? [event.outcome] : []));
    expect(new Set(candidates.map(({ kind }) => kind))).toContain('stopped');
    for (const outcome of candidates) {
      if (outcome.kind === 'invalid') throw new Error(outcome.detail);
      expect(outcome.perplexity).toBeUndefined();
      expect(outcome.kl).toBeGreaterThan(0);
      expect(outcome.kl).toBeLessThan(1);
    }
  });

  it('for masks keeps the checkpoint of the lowest divergence', async () => {
    const problem = maskProblem(1);
    const plan = maskPlan({ steps: 40, checkpoints: 4 });
    const run = await simulateMasks(plan, { ...problem, opening: { ...problem.opening, objective: 'kl' } });
    const checkpoints = run.events.flatMap((event) => (event.kind === 'probabilities' ? [event] : []));
    expect(checkpoints.length).toBeGreaterThan(2);
    for (const checkpoint of checkpoints) {
      expect(checkpoint).not.toHaveProperty('perplexity');
      expect(fitnessIn(checkpoint)).toBe(checkpoint.kl);
    }
  });
});
