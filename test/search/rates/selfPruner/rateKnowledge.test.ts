import { expect, it } from 'vitest';
import type { RateCandidate } from '../../../../src/search/rates/events.ts';
import { RateKnowledge } from '../../../../src/search/rates/selfPruner/rateKnowledge.ts';

it('what was stopped early leads nowhere, and its loss holds for no other; what has a baseline’s rates leads in its own name', () => {
  const knowledge = new RateKnowledge();
  const settle = (id: number, rates: readonly number[], outcome: RateCandidate['outcome']): void => {
    const proposed = { id, generation: 0, operator: 'spread', parents: [], rates } as const;
    knowledge.propose(proposed);
    knowledge.settle({ ...proposed, outcome });
  };
  const loss = (fitness: number) => ({ loss: Math.log(fitness), fitness });
  knowledge.learn({ id: -1, rates: [0.3, 0.3], ...loss(45) });
  knowledge.learn({ id: 0, rates: [0.2, 0.4], ...loss(50) });
  settle(0, [0.2, 0.4], { kind: 'full', perplexity: 50 });
  settle(1, [0.1, 0.5], { kind: 'stopped', rung: 0, blocks: 1, perplexity: 30 });
  settle(2, [0.3, 0.3], { kind: 'shared', of: -1, perplexity: 45 });
  expect(knowledge.leaders.map(({ id }) => id)).toEqual([2, 0]);
  expect(knowledge.sameAs([0.1, 0.5])).toBeUndefined();
});
