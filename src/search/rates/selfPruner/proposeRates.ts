import { FITNESS_NOUNS } from '../../lifecycle/objective.ts';
import type { Rng } from '../../../base/rng.ts';
import type { RateRole } from './roles.ts';
import type { SelfPrunerPlan } from './plan.ts';
import { candidateRng } from '../../lifecycle/candidateRng.ts';
import { askForRates } from './askForRates.ts';
import type { SelfPrunerContext } from './context.ts';
import { crossRates, mutateRates, randomRates, spreadRates } from './operators.ts';
import type { Made } from './operators.ts';
import type { MeasuredRates } from '../measure.ts';
import type { ProposedRates } from './rateKnowledge.ts';
import { ratesKey } from '../rates.ts';
import type { OperatorChoice } from './settings.ts';

/** Who does it: without a language model, what it would do is done by classical operators. */
export function operatorOf(role: RateRole, { search, llm }: Pick<SelfPrunerPlan, 'search' | 'llm'>): OperatorChoice {
  return search[role] === 'llm' && llm.provider === 'none' ? 'classical' : search[role];
}

/**
 * The configurations that one role has to make in one generation: by the language model, and by classical operators where that was
 * chosen or where it did not answer with enough, which is told.
 *
 * @param population best first; of no account for `initialise`
 */
export async function proposeRates(
  role: RateRole,
  generation: number,
  wanted: number,
  population: readonly MeasuredRates[],
  context: SelfPrunerContext,
): Promise<readonly ProposedRates[]> {
  const { plan, knowledge, account, effects } = context;
  const proposed: ProposedRates[] = [];
  const add = (configuration: Omit<ProposedRates, 'id' | 'generation'>): void => {
    const numbered = { id: knowledge.nextId, generation, ...configuration };
    knowledge.propose(numbered);
    proposed.push(numbered);
  };
  const operator = operatorOf(role, plan);

  if (operator === 'llm' && wanted > 0) {
    const answer =
      population.length < PARENTS[role]
        ? {
            lists: [],
            shortfall: [`too few configurations have a ${FITNESS_NOUNS[plan.search.objective]} to be shown`],
          }
        : await askForRates(role, generation, wanted, population, knowledge.keys, context);
    for (const { rates, repaired, call } of answer.lists) {
      add({ operator: `llm-${role}`, parents: [], rates, ...(repaired && { repaired }), call });
    }
    const count = wanted - proposed.length;
    if (count > 0) {
      account.fellBack(count);
      const reason = [...new Set(answer.shortfall)].join('; ');
      await effects.emit({ kind: 'fallback', generation, role, count, reason });
    }
  }
  for (let index = 0; proposed.length < wanted; index++) {
    add(makeClassical(role, operator, index, population, context));
  }
  return proposed;
}

/** Configurations that it takes. */
const PARENTS: Readonly<Record<RateRole, number>> = { initialise: 0, mutate: 1, cross: 2 };

/** Draws again what was there already; a space of few configurations has no new ones in the end. */
function makeClassical(
  role: RateRole,
  operator: OperatorChoice,
  index: number,
  population: readonly MeasuredRates[],
  { plan, space, knowledge, options }: SelfPrunerContext,
): Made {
  const { search } = plan;
  const rng = candidateRng(search.seed, knowledge.nextId);
  const make: Readonly<Record<RateRole, (rng: Rng, draw: number) => Made>> = {
    // A first draw may be uniform or OWL's own rates; later ones never are.
    initialise: (rng, draw) =>
      operator === 'off'
        ? randomRates(space, rng)
        : spreadRates(index + 2 * draw, options.opening.owl, search.spread, space, rng),
    mutate: (rng) => mutateRates(population, search.step, space, rng),
    cross: (rng) => crossRates(population, space, rng),
  };
  const isPossible = population.length >= PARENTS[role];
  for (let draw = 0; ; draw++) {
    const made = isPossible ? make[role](rng, draw) : randomRates(space, rng);
    if (draw === DRAWS || !knowledge.keys.has(ratesKey(made.rates))) return made;
  }
}

const DRAWS = 20;
