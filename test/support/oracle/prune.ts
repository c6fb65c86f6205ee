import type { Expression } from '../../../src/metric/expression.ts';
import type { Sparsity } from '../../../src/experiment/sparsitySchema.ts';
import { masked, maskOf } from './masks.ts';
import type { Matrix } from './matrix.ts';
import { scoreOf } from './metric.ts';
import { linearsOf, type Observer, type OracleModel } from './model.ts';
import { accumulate, emptyStatistics, inputOperands, type InputStatistics } from './statistics.ts';

export interface OraclePruning {
  readonly expression: Expression;
  readonly sparsity: Sparsity;
  readonly group: 'row' | 'layer';
  readonly calibrate: 'sequential' | 'one-shot';
  /** Calibration samples, all of the same length. */
  readonly samples: readonly (readonly number[])[];
}

/** Statistics of every prunable linear layer, by `block.name` of the oracle's {@link linearsOf}. */
export type LayerStatistics = Map<string, InputStatistics>;

/**
 * A pruned copy of `model`. Sequential: the statistics of a block come from what the already pruned blocks before it produce;
 * one-shot: all from the dense model.
 */
export function pruned(
  model: OracleModel,
  rebuild: (tensors: OracleModel['tensors']) => OracleModel,
  how: OraclePruning,
): OracleModel {
  const copy = rebuild(new Map(model.tensors));
  const dense = how.calibrate === 'one-shot' ? collectStatistics(model, how.samples) : undefined;
  let hidden = how.samples.map((sample) => copy.embed(sample));
  for (let i = 0; i < copy.depth; i++) {
    const statistics = dense ?? blockStatistics(copy, i, hidden);
    for (const name of linearsOf(copy, i)) pruneLinear(copy, i, name, statistics.get(`${i}.${name}`), how);
    hidden = hidden.map((x) => copy.block(i, x));
  }
  return copy;
}

/** Statistics of all layers on the model as it is. */
export function collectStatistics(model: OracleModel, samples: readonly (readonly number[])[]): LayerStatistics {
  const all: LayerStatistics = new Map();
  let hidden = samples.map((sample) => model.embed(sample));
  for (let i = 0; i < model.depth; i++) {
    blockStatistics(model, i, hidden).forEach((statistics, key) => all.set(key, statistics));
    hidden = hidden.map((x) => model.block(i, x));
  }
  return all;
}

/** Samples of `length` tokens at the even offsets j · ⌊len/n⌋. */
export function evenSamples(tokens: readonly number[], count: number, length: number): (readonly number[])[] {
  const step = Math.floor(tokens.length / count);
  return Array.from({ length: count }, (_, j) => tokens.slice(j * step, j * step + length));
}

/** Share of prunable weights that are zero. */
export function zeroShare(model: OracleModel): number {
  let [zero, all] = [0, 0];
  for (let i = 0; i < model.depth; i++) {
    for (const name of linearsOf(model, i)) {
      const { values } = model.tensors.get(model.weightName(i, name))!;
      all += values.length;
      for (const value of values) if (value === 0) zero++;
    }
  }
  return zero / all;
}

function blockStatistics(model: OracleModel, index: number, hidden: readonly Matrix[]): LayerStatistics {
  const found: LayerStatistics = new Map();
  const observe: Observer = (name, input) => {
    const key = `${index}.${name}`;
    if (!found.has(key)) found.set(key, emptyStatistics(input.columns));
    accumulate(found.get(key)!, input);
  };
  for (const x of hidden) model.block(index, x, observe);
  return found;
}

function pruneLinear(
  model: OracleModel,
  block: number,
  name: string,
  statistics: InputStatistics | undefined,
  how: OraclePruning,
): void {
  // An expert that saw no token stays as it is, where inputs are asked for.
  if (!statistics && usesInputs(how.expression)) return;
  const key = model.weightName(block, name);
  const weight = model.tensors.get(key)!;
  const operands = {
    W: { ...weight, values: weight.values.map(Math.abs) },
    Wsigned: weight,
    ...(statistics && inputOperands(statistics)),
  };
  const score = scoreOf(how.expression, operands, weight.rows, weight.columns);
  model.tensors.set(key, masked(weight, maskOf(score, how.sparsity, how.group)));
}

function usesInputs(expression: Expression): boolean {
  switch (expression.kind) {
    case 'operand':
      return expression.name.startsWith('X');
    case 'number':
      return false;
    case 'operation':
      return expression.arguments.some(usesInputs);
  }
}
