import type { Expression } from '../../../src/metric/expression.ts';
import type { WeightSparsity } from '../../../src/experiment/sparsitySchema.ts';
import type { WeightUpdate } from '../../../src/experiment/updates.ts';
import { masked, maskOf } from './masks.ts';
import type { Matrix } from './matrix.ts';
import { scoreOf } from './metric.ts';
import { linearsOf, type Observer, type OracleModel } from './model.ts';
import { admm, sparseGpt } from './updates.ts';
import { accumulate, emptyStatistics, inputOperands, type InputStatistics } from './statistics.ts';

export interface OraclePruning {
  /** Absent: SparseGPT chooses. */
  readonly expression?: Expression;
  readonly sparsity: WeightSparsity;
  /** Share of each block's weights that goes, where not the sparsity of all. */
  readonly rates?: readonly number[];
  readonly update?: WeightUpdate;
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
  let denseHidden = hidden;
  for (let i = 0; i < copy.depth; i++) {
    const statistics = dense ?? blockStatistics(copy, i, hidden);
    const grams = how.update
      ? blockGrams(dense ? model : copy, i, dense ? denseHidden : hidden)
      : new Map<string, Rows>();
    if (dense && how.update) denseHidden = denseHidden.map((x) => model.block(i, x));
    for (const name of linearsOf(copy, i))
      pruneLinear(copy, i, name, statistics.get(`${i}.${name}`), grams.get(name), how);
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

function blockGrams(model: OracleModel, index: number, hidden: readonly Matrix[]): Map<string, Rows> {
  const found = new Map<string, Rows>();
  const observe: Observer = (name, { rows, columns, values }) => {
    const h = found.get(name) ?? Array.from({ length: columns }, () => Array<number>(columns).fill(0));
    found.set(name, h);
    for (let t = 0; t < rows; t++)
      for (let i = 0; i < columns; i++)
        for (let j = 0; j < columns; j++) h[i]![j]! += values[t * columns + i]! * values[t * columns + j]!;
  };
  for (const x of hidden) model.block(index, x, observe);
  return found;
}

type Rows = number[][];

function pruneLinear(
  model: OracleModel,
  block: number,
  name: string,
  statistics: InputStatistics | undefined,
  gram: Rows | undefined,
  how: OraclePruning,
): void {
  const { expression, update, rates, group } = how;
  const sparsity: WeightSparsity = rates ? { kind: 'unstructured', share: rates[block]! } : how.sparsity;
  const takesNone = sparsity.kind === 'unstructured' && sparsity.share === 0;
  // An expert that saw no token stays as it is, where inputs are asked for.
  if (!statistics && (update !== undefined || (expression && usesInputs(expression)))) return;
  const key = model.weightName(block, name);
  const weight = model.tensors.get(key)!;
  if (takesNone) return;
  const rowsOf = ({ columns, values }: Matrix): Rows =>
    Array.from({ length: values.length / columns }, (_, i) => [...values.subarray(i * columns, (i + 1) * columns)]);
  const put = (rows: readonly (readonly number[])[]): unknown =>
    model.tensors.set(key, { ...weight, values: Float64Array.from(rows.flat()) });
  if (!expression) {
    const { damping, columns } = update as Extract<WeightUpdate, { method: 'sparsegpt' }>;
    put(
      sparseGpt(
        rowsOf(weight),
        gram!,
        damping,
        sparsity.kind === 'n:m' ? sparsity : { share: sparsity.share, columns },
      ),
    );
    return;
  }
  const operands = {
    W: { ...weight, values: weight.values.map(Math.abs) },
    Wsigned: weight,
    ...(statistics && inputOperands(statistics)),
  };
  const mask = maskOf(scoreOf(expression, operands, weight.rows, weight.columns), sparsity, group);
  const after = masked(weight, mask);
  const gone = rowsOf(after).map((row) => row.map((value) => value === 0));
  if (!update) model.tensors.set(key, after);
  else if (update.method === 'sparsegpt') put(sparseGpt(rowsOf(weight), gram!, update.damping, { gone }));
  else put(admm(rowsOf(weight), gram!, gone, update.damping, update.iterations));
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
