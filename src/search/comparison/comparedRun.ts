import { runMethod } from '../runMethod.ts';
import type { RunKind } from '../kinds.ts';
import { denseFitness, fitnessIn, objectiveOf } from '../lifecycle/objective.ts';
import { AFTER } from '../recovery/finalists.ts';
import { thinned } from './curve.ts';
import type { RunCurve } from './curve.ts';
import type { CurveFold } from './curveFold.ts';
import { factsOf } from './facts.ts';
import type { Fact } from './facts.ts';
import { fitnessKind } from './fitnessKind.ts';
import type { FitnessKind } from './fitnessKind.ts';

/** What is said about a run from outside of its journal. */
export interface RunLabels {
  /** Identifies it: its folder, absolute. */
  readonly folder: string;
  /** Name of its folder. */
  readonly id: string;
  /** What it is called beside others. */
  readonly title: string;
  readonly tags: readonly string[];
  readonly note?: string;
  /** `running`, `paused`, `finished`, … */
  readonly state: string;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  /** Why not all of it could be read. */
  readonly trouble?: string;
}

/** All that a run is beside others; plain data of a few kilobytes, whatever the run has done. */
export interface ComparedRun extends RunLabels {
  readonly kind: RunKind;
  /** What its method is called. */
  readonly method: string;
  /** Name of its search. */
  readonly search: string;
  readonly seed: number;
  readonly facts: Readonly<Record<string, Fact>>;
  readonly fitness: FitnessKind;
  readonly curve: RunCurve;
  /** What the best is: a formula, rates. Empty while there is none. */
  readonly found: string;
  /** Of the run's own, on the same text as its fitness; of a recovery what there was before it. */
  readonly baselines: readonly { readonly name: string; readonly fitness: number }[];
  /** Of what the run has come to, evaluated as outside of it: on the evaluation text, and on one that it never saw. */
  readonly evaluated: number | null;
  readonly test: number | null;
}

export function comparedRun(labels: RunLabels, fold: CurveFold): ComparedRun {
  const { plan, state, curve, best } = fold;
  const { title: method, seed } = runMethod(plan);
  const final = finalistOf(state);
  return {
    ...labels,
    kind: plan.kind,
    method,
    search: plan.name,
    seed,
    facts: { method: { text: method }, ...Object.fromEntries(factsOf(plan)) },
    fitness: fitnessKind(plan, denseFitness(state.opening)),
    curve: { points: thinned(curve.points), end: curve.end },
    found: best,
    baselines: baselinesOf(state),
    evaluated: final?.result?.perplexity ?? null,
    test: final?.test?.perplexity ?? null,
  };
}

/** The best so far, in the search's own measure; undefined while there is none. */
export function bestOf({ curve }: Pick<ComparedRun, 'curve'>): number | undefined {
  return curve.points.at(-1)?.fitness;
}

function baselinesOf(state: CurveFold['state']): ComparedRun['baselines'] {
  if (state.kind === 'recovery') {
    const before = state.validations[0]?.perplexity;
    return before == null ? [] : [{ name: 'before recovery', fitness: before }];
  }
  if (state.kind === 'masks') {
    // On the same text, but as evaluations: of a search by another measure they are something else.
    if (objectiveOf(state.opening) !== 'perplexity') return [];
    return state.finalists.flatMap(({ name, result }) =>
      result && result.structure?.method !== 'mask' ? [{ name, fitness: result.perplexity }] : [],
    );
  }
  return state.baselines.flatMap((baseline) => {
    const fitness = fitnessIn(baseline);
    return fitness === undefined ? [] : [{ name: baseline.name, fitness }];
  });
}

/** The evaluation of what the run has come to. */
function finalistOf(state: CurveFold['state']): CurveFold['state']['finalists'][number] | undefined {
  switch (state.kind) {
    case 'metrics':
    case 'rates': {
      const [first] = state.ranking;
      return state.finalists.find(({ id }) => id !== undefined && id === first);
    }
    case 'masks':
      return state.finalists.find(({ result }) => result?.structure?.method === 'mask');
    case 'recovery':
      return state.finalists.find(({ name }) => name === AFTER);
  }
}
