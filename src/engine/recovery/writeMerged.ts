import path from 'node:path';
import { EspalierError } from '../../base/errors.ts';
import type { Checkpoint } from '../checkpoint/checkpoint.ts';
import { NARROW, type NarrowType } from '../checkpoint/narrow.ts';
import { readParameter } from '../checkpoint/readParameter.ts';
import { WIDEN } from '../checkpoint/widen.ts';
import { CheckpointWriter } from '../export/checkpointWriter.ts';
import { copyCompanions } from '../export/companions.ts';
import { writeJson } from '../export/writeJson.ts';
import { type WrittenConfig, writingStep } from '../export/writtenConfig.ts';
import { allParameters } from '../families/families.ts';
import { storedShape } from '../families/family.ts';
import type { StepHooks } from '../forward/step.ts';
import type { AdaptedLayer, Adapter } from './adapter.ts';
import { typeFields } from './inFloat32.ts';
import type { Merge } from './trainedWeights.ts';

export interface MergedReport {
  /** Weights that merging would have filled and that were left zero. */
  readonly zerosKept: number;
  /** Type of the matrices that were written, and the most that a weight was changed by being rounded to it, relative to its size. */
  readonly dtype: NarrowType;
  readonly rounding: number;
  /** What was written, and the files that could not be taken along. */
  readonly written: WrittenConfig;
  readonly leftOut: readonly string[];
}

/**
 * A checkpoint with what was learnt in its weights: W + scaling · B · A, summed in float64, rounded once to the type that the model had before it was
 * pruned. One tensor is all that is ever held.
 *
 * @param from what was trained
 * @param typeOf the type of a tensor of the model that it comes from
 * @param folder an empty one
 * @throws EspalierError `evaluation/not-finite` where a weight is too large for its type
 */
export async function writeMerged(
  from: Checkpoint,
  adapter: Adapter,
  merge: Merge,
  typeOf: (tensor: string) => NarrowType,
  folder: string,
  hooks: StepHooks,
): Promise<MergedReport> {
  const layers = new Map(adapter.layers.map((layer) => [layer.parameter.tensor, layer]));
  const vectors = new Map(adapter.vectors.map(({ parameter, values }) => [parameter.tensor, values]));
  const parameters = allParameters(from.config);
  const dtype = typeOf(parameters.find(({ linear }) => linear)!.tensor);
  const forms = parameters.map((one) => [one.tensor, { dtype: typeOf(one.tensor), shape: storedShape(one) }] as const);
  const writer = new CheckpointWriter(folder, new Map(forms));
  let [zerosKept, rounding] = [0, 0];
  try {
    for (const [index, parameter] of parameters.entries()) {
      const { tensor } = parameter;
      await writingStep(hooks, index, parameters.length)();
      const layer = layers.get(tensor);
      const values = vectors.get(tensor) ?? readParameter(from, parameter);
      if (layer) zerosKept += addFactors(values, layer, merge);
      const stored = parameter.transposed ? transposed(values, parameter.shape) : values;
      const bytes = NARROW[typeOf(tensor)](stored);
      rounding = Math.max(rounding, checkRounding(stored, bytes, typeOf(tensor), tensor));
      writer.write(tensor, 0, bytes);
    }
    await writer.finish();
  } finally {
    writer.abandon();
  }
  const values = { ...from.values, ...typeFields(from, TYPES[dtype]) };
  await writeJson(path.join(folder, 'config.json'), values);
  const leftOut = await copyCompanions(from.tokenizerFolder, folder);
  return { zerosKept, dtype, rounding, written: { values, config: from.config }, leftOut };
}

const TYPES: Readonly<Record<NarrowType, string>> = { F32: 'float32', F16: 'float16', BF16: 'bfloat16' };

/** Adds the product to the weight [out, in], in place. @returns zeros that stayed */
function addFactors(weight: Float32Array, { rank, scaling, down, up }: AdaptedLayer, merge: Merge): number {
  const [, columns] = down.shape as [number, number];
  const sums = new Float64Array(columns);
  let kept = 0;
  for (let begin = 0, row = 0; begin < weight.length; begin += columns, row++) {
    sums.fill(0);
    for (let k = 0; k < rank; k++) {
      const factor = up.values[row * rank + k]!;
      for (let i = 0; i < columns; i++) sums[i]! += factor * down.values[k * columns + i]!;
    }
    for (let i = 0; i < columns; i++) {
      const sum = scaling * sums[i]!;
      if (merge === 'masked' && weight[begin + i] === 0) kept += sum === 0 ? 0 : 1;
      else weight[begin + i]! += sum;
    }
  }
  return kept;
}

/** [rows, columns] → [columns, rows] */
function transposed(values: Float32Array, [rows, columns]: readonly number[]): Float32Array {
  const turned = new Float32Array(values.length);
  for (let row = 0, at = 0; row < rows!; row++) {
    for (let column = 0; column < columns!; column++, at++) turned[column * rows! + row] = values[at]!;
  }
  return turned;
}

/** The largest relative change of a value that rounding has left larger than zero. */
function checkRounding(values: Float32Array, bytes: Uint8Array, dtype: NarrowType, tensor: string): number {
  const rounded = new Float32Array(values.length);
  WIDEN[dtype](bytes, rounded, 0);
  let most = 0;
  for (let i = 0; i < values.length; i++) {
    if (!Number.isFinite(rounded[i])) throw notFinite(tensor, values[i]!, dtype);
    if (rounded[i] !== 0) most = Math.max(most, Math.abs(rounded[i]! - values[i]!) / Math.abs(values[i]!));
  }
  return most;
}

/** README.md of a merged checkpoint that says nothing else of itself. */
export function mergedCard({ zerosKept, dtype, rounding }: MergedReport, merge: Merge): string {
  const zeros =
    merge === 'masked'
      ? `Pruned weights are zero as before: ${zerosKept} would have got a value.`
      : 'Pruned weights have got values again.';
  return [
    '# A recovered model',
    '',
    'Pruned and trained again by Espalier; what was learnt is in the weights.',
    '',
    `- ${zeros}`,
    `- Stored as ${TYPES[dtype]}; rounding has changed a weight by ${rounding.toPrecision(2)} of its size at most.`,
    '',
  ].join('\n');
}

function notFinite(tensor: string, value: number, dtype: NarrowType): EspalierError {
  return new EspalierError({
    code: 'evaluation/not-finite',
    operation: `writing ${tensor}`,
    expected: `weights that ${TYPES[dtype]} can hold`,
    actual: `${value}`,
    remedy: 'Train with a lower learning rate.',
  });
}
