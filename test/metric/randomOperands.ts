import { Rng } from '../../src/base/rng.ts';
import { OPERAND_NAMES, OPERANDS } from '../../src/metric/operands.ts';
import type { Expression } from '../../src/metric/expression.ts';
import { scoreOf } from '../support/oracle/metric.ts';
import type { Operands } from '../support/oracle/metric.ts';
import type { Matrix } from '../support/oracle/matrix.ts';

export const [ROWS, COLUMNS] = [5, 6];

/** Values of every operand, of such a size that few trees leave the range of float64; some of them equal. W = |Wsigned|. */
export function randomOperands(seed: number): Operands {
  const rng = new Rng(seed);
  const operands: Record<string, Matrix> = {};
  for (const name of OPERAND_NAMES) {
    const { shape, nonNegative } = OPERANDS[name];
    const rows = shape === 'row' ? 1 : ROWS;
    // One value in ten is drawn from few: ties are part of a ranking.
    const values = Float64Array.from({ length: rows * COLUMNS }, () => {
      const size = rng.uniform() < 0.1 ? 0.5 * rng.integer(3) : 0.05 + 2 * rng.uniform();
      return nonNegative || rng.uniform() < 0.5 ? size : -size;
    });
    operands[name] = { rows, columns: COLUMNS, values };
  }
  operands['W'] = { ...operands['Wsigned']!, values: operands['Wsigned']!.values.map(Math.abs) };
  return operands;
}

/** The scores in float64, or undefined where one is not finite or all are the same. */
export function scores(expression: Expression, operands: Operands): Float64Array | undefined {
  try {
    return scoreOf(expression, operands, ROWS, COLUMNS).values;
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}
