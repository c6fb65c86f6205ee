import type { Rng } from '../../base/rng.ts';
import type { MetricSearchPlan } from './plan.ts';
import type { VariationOperator } from './events.ts';
import { canonical } from '../../metric/canonical.ts';
import type { Expression } from '../../metric/expression.ts';
import { depthOf, sizeOf } from '../../metric/measure.ts';
import { simplify } from '../../metric/simplify.ts';
import type { Alphabet } from './alphabet.ts';
import { pickWeighted } from './alphabet.ts';
import type { Evaluated, Proposed } from './candidate.ts';
import { candidateRng } from '../lifecycle/candidateRng.ts';
import { tournament } from './population.ts';
import type { Population } from './population.ts';
import { RANDOM_DEPTH, randomTree } from './randomTree.ts';
import { nodesOf } from './tree.ts';
import { crossover, MUTATIONS, possibleMutations } from './variation.ts';

/** A new tree and how it came about. */
interface Draft {
  readonly operator: VariationOperator;
  readonly parents: readonly Evaluated[];
  readonly expression: Expression;
}

/** How often a variation is drawn anew when the tree is too large, or ranks like a parent. */
const ATTEMPTS = 10;

/** The candidate with this id: a function of the plan, the population and the id, and of nothing else. */
export function propose(
  id: number,
  generation: number,
  population: Population,
  plan: MetricSearchPlan,
  alphabet: Alphabet,
): Proposed {
  const rng = candidateRng(plan.search.seed, id);
  const seed = generation === 0 ? plan.seeds[id] : undefined;
  const draft: Draft =
    seed !== undefined
      ? { operator: 'seed', parents: [], expression: seed.expression }
      : (vary(population, plan, alphabet, rng) ?? freshTree(plan, alphabet, rng));
  const { operator, expression } = draft;
  const parents = [...new Set(draft.parents.map((parent) => parent.id))];
  return { id, generation, operator, parents, expression, canonical: canonical(expression), size: sizeOf(expression) };
}

/** Offspring of one or two of the population; undefined where it is the turn of a new tree, or nothing within the limits came out. */
function vary(population: Population, plan: MetricSearchPlan, alphabet: Alphabet, rng: Rng): Draft | undefined {
  const { search } = plan;
  if (search.method === 'random' || population.length === 0) return undefined;
  const immigrants = Math.max(0, 1 - search.crossover - search.mutation);
  const how = pickWeighted({ crossover: search.crossover, mutation: search.mutation, immigrants }, rng);
  if (how === undefined || how === 'immigrants') return undefined;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const draft = how === 'crossover' ? crossed(population, plan, rng) : mutated(population, plan, alphabet, rng);
    if (!fits(draft.expression, plan)) continue;
    const { key } = canonical(draft.expression);
    if (draft.parents.every((parent) => parent.canonical.key !== key)) return draft;
  }
  return undefined;
}

function crossed(population: Population, plan: MetricSearchPlan, rng: Rng): Draft {
  const [a, b] = [parentOf(population, plan, rng), parentOf(population, plan, rng)];
  const [expression] = crossover(a.expression, b.expression, rng);
  return { operator: 'crossover', parents: [a, b], expression: cancelled(expression) };
}

function mutated(population: Population, plan: MetricSearchPlan, alphabet: Alphabet, rng: Rng): Draft {
  const parent = parentOf(population, plan, rng);
  const operator = pickWeighted(possibleMutations(parent.expression, alphabet), rng)!;
  const expression = MUTATIONS[operator](parent.expression, alphabet, rng);
  return { operator, parents: [parent], expression: cancelled(expression) };
}

function parentOf(population: Population, { search }: MetricSearchPlan, rng: Rng): Evaluated {
  return tournament(population, rng, search.tournament);
}

/** A random tree within the limits: half of them full, half grown (Koza's ramped half and half). */
function freshTree(plan: MetricSearchPlan, alphabet: Alphabet, rng: Rng): Draft {
  const operator = rng.uniform() < 0.5 ? 'grow' : 'full';
  const deepest = Math.min(RANDOM_DEPTH.maximum, plan.search.depth);
  for (let attempt = 0; ; attempt++) {
    // Trees of two levels have three nodes at most, which every plan allows.
    const depth = attempt < ATTEMPTS ? deepest : RANDOM_DEPTH.minimum;
    const expression = cancelled(randomTree(operator, depth, alphabet, rng));
    if (fits(expression, plan)) return { operator, parents: [], expression };
  }
}

/** Without opposing operations, as the search makes its trees; as it was where numbers would be left over, which the search has none of. */
export function cancelled(expression: Expression): Expression {
  const simpler = simplify(expression, 'approximately');
  return numbersOf(simpler) > numbersOf(expression) ? expression : simpler;
}

function numbersOf(expression: Expression): number {
  return nodesOf(expression).filter(({ node }) => node.kind === 'number').length;
}

function fits(expression: Expression, { search }: MetricSearchPlan): boolean {
  return sizeOf(expression) <= search.size && depthOf(expression) <= search.depth;
}
