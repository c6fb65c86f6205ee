import type { Rng } from '../../base/rng.ts';
import type { MetricSearchPlan } from './plan.ts';
import type { VariationOperator } from './events.ts';
import { canonical } from '../../metric/canonical.ts';
import type { Expression } from '../../metric/expression.ts';
import { depthOf, sizeOf } from '../../metric/measure.ts';
import { simplify } from '../../metric/simplify.ts';
import type { Alphabet } from './alphabet.ts';
import { pickWeighted } from './alphabet.ts';
import { formOf } from './candidate.ts';
import type { Evaluated, Proposed } from './candidate.ts';
import { tidy, withConstant } from './constants.ts';
import { candidateRng } from '../lifecycle/candidateRng.ts';
import { tournament } from './population.ts';
import type { Population } from './population.ts';
import { RANDOM_DEPTH, randomTree } from './randomTree.ts';
import { nodesOf } from './tree.ts';
import { drawTuning, FIRST_STEP, stepped } from './tuning.ts';
import type { Tuning } from './tuning.ts';
import { crossover, MUTATIONS, possibleMutations } from './variation.ts';

/** A new tree and how it came about. */
interface Draft {
  readonly operator: VariationOperator;
  readonly parents: readonly Evaluated[];
  readonly expression: Expression;
  readonly tuning?: Tuning;
}

/** How often a variation is drawn anew when the tree is too large, or ranks like a parent. */
const ATTEMPTS = 10;

/**
 * The candidate with this id: a function of the plan, the population and the id, and of nothing else. Of one that tunes a constant it says
 * which and where to; how far is found by probes (tune.ts).
 */
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
  const { operator, expression, tuning } = draft;
  const parents = [...new Set(draft.parents.map((parent) => parent.id))];
  return { id, generation, operator, parents, ...formOf(expression), ...(tuning && { tuning }) };
}

/** Offspring of one or two of the population; undefined where it is the turn of a new tree, or nothing within the limits came out. */
function vary(population: Population, plan: MetricSearchPlan, alphabet: Alphabet, rng: Rng): Draft | undefined {
  const { search } = plan;
  if (search.method === 'random' || population.length === 0) return undefined;
  const immigrants = Math.max(0, 1 - search.crossover - search.mutation);
  const how = pickWeighted({ crossover: search.crossover, mutation: search.mutation, immigrants }, rng);
  if (how === undefined || how === 'immigrants') return undefined;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const draft =
      how === 'crossover' ? crossed(population, plan, alphabet, rng) : mutated(population, plan, alphabet, rng);
    if (!fits(draft.expression, plan)) continue;
    const { key } = canonical(draft.expression);
    if (draft.parents.every((parent) => parent.canonical.key !== key)) return draft;
  }
  return undefined;
}

function crossed(population: Population, plan: MetricSearchPlan, alphabet: Alphabet, rng: Rng): Draft {
  const [a, b] = [parentOf(population, plan, rng), parentOf(population, plan, rng)];
  const [expression] = crossover(a.expression, b.expression, alphabet, rng);
  return { operator: 'crossover', parents: [a, b], expression: cancelled(expression, alphabet) };
}

function mutated(population: Population, plan: MetricSearchPlan, alphabet: Alphabet, rng: Rng): Draft {
  const parent = parentOf(population, plan, rng);
  const operator = pickWeighted(possibleMutations(parent.expression, alphabet), rng)!;
  if (operator === 'tune') {
    const tuning = drawTuning(parent.expression, alphabet.constants, rng);
    const parents = [parent];
    // What would not change is drawn again, as whatever ranks like its parent.
    if (tuning === undefined) return { operator, parents, expression: parent.expression };
    return { operator, parents, expression: stepped(tuning, FIRST_STEP), tuning };
  }
  const expression = MUTATIONS[operator](parent.expression, alphabet, rng);
  return { operator, parents: [parent], expression: cancelled(expression, alphabet) };
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
    const expression = withConstants(cancelled(randomTree(operator, depth, alphabet, rng), alphabet), alphabet, rng);
    if (fits(expression, plan)) return { operator, parents: [], expression };
  }
}

/** Chances that a random tree has one constant, and then that it has a second. */
const CONSTANT_SHARE = 0.5;

function withConstants(tree: Expression, { constants }: Alphabet, rng: Rng): Expression {
  if (constants === 'none') return tree;
  let result = tree;
  for (let i = 0; i < 2 && rng.uniform() < CONSTANT_SHARE; i++) result = withConstant(result, constants, rng) ?? result;
  return result;
}

/** Without opposing operations; as it was where numbers would be left over that nothing was drawn of. Numbers in order, where there are any. */
export function cancelled(expression: Expression, { constants }: Alphabet): Expression {
  const simpler = simplify(expression, 'approximately');
  const kept = numbersOf(simpler) > numbersOf(expression) ? expression : simpler;
  return constants === 'none' ? kept : tidy(kept);
}

function numbersOf(expression: Expression): number {
  return nodesOf(expression).filter(({ node }) => node.kind === 'number').length;
}

function fits(expression: Expression, { search }: MetricSearchPlan): boolean {
  return sizeOf(expression) <= search.size && depthOf(expression) <= search.depth;
}
