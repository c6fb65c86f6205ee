import type { Expression } from '../../../src/metric/expression.ts';
import type { OracleConfig } from './config.ts';
import type { Matrix } from './matrix.ts';
import { scoreOf } from './metric.ts';
import { linearsOf, type OracleModel } from './model.ts';
import { collectStatistics, type LayerStatistics } from './prune.ts';
import { inputOperands } from './statistics.ts';

/** What one block keeps, or what its parts score: a value for each key-value group, and one for each channel. */
export interface OracleParts {
  readonly groups: readonly number[];
  readonly channels: readonly number[];
}

/** What the calibration samples tell about every linear layer's input. */
export interface OracleCalibration {
  readonly statistics: LayerStatistics;
  readonly samples: number;
}

export function calibrate(model: OracleModel, samples: readonly (readonly number[])[]): OracleCalibration {
  return { statistics: collectStatistics(model, samples), samples: samples.length };
}

/** The mean score of each column of the output projections, summed over a group's columns and divided by its heads. */
export function partScores(
  model: OracleModel,
  config: OracleConfig,
  expression: Expression,
  { statistics, samples }: OracleCalibration,
): OracleParts[] {
  const [attention, mlp] = [model.attention.at(-1)!, model.mlp.at(-1)!];
  const columns = (block: number, linear: string): number[] => {
    const weight = model.tensors.get(model.weightName(block, linear))!;
    const absolute = { ...weight, values: weight.values.map(Math.abs) };
    const operands = inputOperands(statistics.get(`${block}.${linear}`)!, samples);
    const score = scoreOf(expression, { W: absolute, Wsigned: weight, ...operands }, weight.rows, weight.columns);
    return columnMeans(score);
  };
  return blocks(model, (block) => {
    const found = columns(block, attention);
    const width = found.length / config.kvHeads;
    const share = config.heads / config.kvHeads;
    const groups = Array.from(
      { length: config.kvHeads },
      (_, g) => sum(found.slice(g * width, (g + 1) * width)) / share,
    );
    return { groups, channels: columns(block, mlp) };
  });
}

/** What stays at a rate: groups first, halves rounded up, then channels as far as the block still has to lose. */
export function keptAtRates(
  model: OracleModel,
  scores: readonly OracleParts[],
  rates: readonly number[],
): OracleParts[] {
  return scores.map(({ groups, channels }, block) => {
    const size = (names: readonly string[]): number => sum(names.map((name) => weightsOf(model, block, name)));
    const [attention, mlp] = [size(model.attention), size(model.mlp)];
    const rate = rates[block]!;
    const goneGroups = Math.min(groups.length, Math.floor(rate * groups.length + 0.5));
    const left = rate * (attention + mlp) - (goneGroups / groups.length) * attention;
    const goneChannels = Math.floor(left / (mlp / channels.length) + 0.5);
    return {
      groups: withoutLowest(groups, goneGroups),
      channels: withoutLowest(channels, Math.max(0, Math.min(channels.length, goneChannels))),
    };
  });
}

/**
 * A copy of the model in which nothing reads what does not stay: its columns of the output projections are zero, which is what removing
 * it comes to. Where it is not (`groupRows`), the groups' rows and columns are really taken out.
 *
 * @param compensated whether what they read on average over the samples is added to the biases
 */
export function withParts(
  model: OracleModel,
  rebuild: (tensors: OracleModel['tensors']) => OracleModel,
  kept: readonly OracleParts[],
  compensated?: OracleCalibration,
): OracleModel {
  const tensors = new Map(model.tensors);
  for (const [block, parts] of kept.entries()) {
    for (const [linear, stays] of [
      [model.attention.at(-1)!, parts.groups],
      [model.mlp.at(-1)!, parts.channels],
    ] as const) {
      const name = model.weightName(block, linear);
      const weight = model.tensors.get(name)!;
      const part = weight.columns / stays.length;
      const isKept = (column: number): boolean => stays[Math.floor(column / part)] === 1;
      tensors.set(name, {
        ...weight,
        values: weight.values.map((value, i) => (isKept(i % weight.columns) ? value : 0)),
      });
      if (model.groupRows && linear === model.attention.at(-1)) {
        tensors.set(name, columnsWhere(weight, isKept));
        const prefix = name.slice(0, -`${linear}.weight`.length);
        for (const tensor of model.groupRows) {
          const { rows, columns, values } = model.tensors.get(`${prefix}${tensor}`)!;
          // A vector has its features in one row.
          const [count, width] = rows === 1 ? [columns, 1] : [rows, columns];
          const left = values.filter((_, i) => stays[Math.floor(Math.floor(i / width) / (count / stays.length))] === 1);
          const taken = left.length / width;
          tensors.set(`${prefix}${tensor}`, {
            ...(rows === 1 ? { rows: 1, columns: taken } : { rows: taken, columns: width }),
            values: left,
          });
        }
      }
      if (!compensated) continue;
      const mean = inputOperands(compensated.statistics.get(`${block}.${linear}`)!, compensated.samples)['Xmean']!
        .values;
      const biasName = name.replace(/weight$/, 'bias');
      const bias = model.tensors.get(biasName)?.values;
      const added = Float64Array.from({ length: weight.rows }, (_, row) =>
        sum([...mean].map((value, j) => (isKept(j) ? 0 : value * weight.values[row * weight.columns + j]!))),
      );
      tensors.set(biasName, {
        rows: 1,
        columns: weight.rows,
        values: added.map((value, i) => value + (bias?.[i] ?? 0)),
      });
    }
  }
  return rebuild(tensors);
}

/** Share of the blocks' weights that does not stay. */
export function removedShare(model: OracleModel, kept: readonly OracleParts[]): number {
  let [gone, all] = [0, 0];
  for (const [block, { groups, channels }] of kept.entries()) {
    for (const linear of linearsOf(model)) {
      const stays = model.attention.includes(linear) ? groups : channels;
      const weights = weightsOf(model, block, linear);
      all += weights;
      gone += weights * (1 - sum(stays) / stays.length);
    }
  }
  return gone / all;
}

/** OWL's rates: the share of a block's |W|·sqrt(X) that is above five times their mean, turned into rates 0.08 about the one asked for. */
export function outlierRates(model: OracleModel, { statistics, samples }: OracleCalibration, rate: number): number[] {
  const shares = blocks(model, (block) => {
    const scores = linearsOf(model).flatMap((linear) => {
      const { values, columns } = model.tensors.get(model.weightName(block, linear))!;
      const X = inputOperands(statistics.get(`${block}.${linear}`)!, samples)['X']!.values;
      return [...values].map((value, i) => Math.abs(value) * Math.sqrt(X[i % columns]!));
    });
    const mean = sum(scores) / scores.length;
    return scores.filter((score) => score > 5 * mean).length / scores.length;
  });
  const [low, high] = [Math.min(...shares), Math.max(...shares)];
  const stretched = shares.map((share) => ((share - low) / (high - low)) * 0.16);
  return stretched.map((value) => rate - value + sum(stretched) / stretched.length);
}

function blocks<Value>(model: OracleModel, of: (block: number) => Value): Value[] {
  return Array.from({ length: model.depth }, (_, block) => of(block));
}

function weightsOf(model: OracleModel, block: number, linear: string): number {
  return model.tensors.get(model.weightName(block, linear))!.values.length;
}

function columnMeans({ rows, columns, values }: Matrix): number[] {
  return Array.from(
    { length: columns },
    (_, j) => sum(Array.from({ length: rows }, (__, i) => values[i * columns + j]!)) / rows,
  );
}

function columnsWhere({ rows, columns, values }: Matrix, isKept: (column: number) => boolean): Matrix {
  const left = values.filter((_, i) => isKept(i % columns));
  return { rows, columns: left.length / rows, values: left };
}

function withoutLowest(scores: readonly number[], count: number): number[] {
  const gone = new Set([...scores.keys()].sort((a, b) => scores[a]! - scores[b]!).slice(0, count));
  return scores.map((_, i) => (gone.has(i) ? 0 : 1));
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
