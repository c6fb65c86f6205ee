import type { Rng } from '../../base/rng.ts';
import type { MetricSearchPlan } from './plan.ts';
import type { MetricSearchSettings } from './settings.ts';
import type { OperandName } from '../../metric/operands.ts';
import { OPERATIONS } from '../../metric/operations.ts';
import type { OperationName } from '../../metric/operations.ts';

/** Which numbers the trees of a search may have. */
export type Constants = MetricSearchSettings['constants'];

/** What trees of a search are made of. */
export interface Alphabet {
  readonly operands: readonly OperandName[];
  readonly unary: readonly OperationName[];
  readonly binary: readonly OperationName[];
  /** Which numbers there may be. */
  readonly constants: Constants;
}

export function alphabetOf(
  { operations, operands }: Pick<MetricSearchPlan, 'operations' | 'operands'>,
  constants: Constants = 'none',
): Alphabet {
  return {
    operands,
    constants,
    unary: operations.filter((name) => OPERATIONS[name].arity === 1),
    binary: operations.filter((name) => OPERATIONS[name].arity === 2),
  };
}

/** One of the values with equal chances; there has to be one. */
export function pick<Value>(values: readonly Value[], rng: Rng): Value {
  return values[rng.integer(values.length)]!;
}

/** A key, with a chance in proportion to its weight; undefined where all weights are 0. */
export function pickWeighted<Key extends string>(weights: Readonly<Record<Key, number>>, rng: Rng): Key | undefined {
  const entries = Object.entries<number>(weights) as [Key, number][];
  let left = rng.uniform() * entries.reduce((sum, [, weight]) => sum + weight, 0);
  return entries.find(([, weight]) => (left -= weight) < 0)?.[0];
}
