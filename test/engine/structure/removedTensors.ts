import type { ModelMask } from '../../../src/experiment/structureSchema.ts';
import type { Checkpoint, ModelTensors } from '../../../src/engine/checkpoint/checkpoint.ts';
import { readParameter } from '../../../src/engine/checkpoint/readParameter.ts';
import { prunedConfig } from '../../../src/engine/export/prunedConfig.ts';
import { structuralSources, type TensorSource } from '../../../src/engine/export/tensorSources.ts';
import { allParameters } from '../../../src/engine/families/families.ts';
import type { Parameter } from '../../../src/engine/families/family.ts';
import type { BlockFill } from '../../../src/engine/forward/maskInputs.ts';
import type { RawConfig } from '../../support/generate/tensorInventory.ts';

/** A model, and the values of its tensors in the order that linear layers have, [out, in], however they are stored. */
export interface RemovedTensors extends ModelTensors {
  values(name: string): Float32Array;
}

/**
 * The model that a mask leaves, as an export describes it, read without being written.
 *
 * @param valuesOf another way to the values of the dense model's tensors, [out, in]
 */
export function removedTensors(
  dense: Checkpoint,
  config: RawConfig,
  mask: ModelMask,
  fills?: readonly BlockFill[],
  valuesOf: (parameter: Parameter) => Float32Array = (parameter) => readParameter(dense, parameter),
): RemovedTensors {
  const pruned = prunedConfig(config, dense.config, mask, fills !== undefined);
  const sources = structuralSources(dense, pruned, mask, fills);
  const parameters = new Map(allParameters(pruned.config).map((parameter) => [parameter.tensor, parameter]));
  const values = (name: string): Float32Array => keptOf(sources.get(name)!, valuesOf);
  return {
    config: pruned.config,
    values,
    read(name, _, into) {
      const { shape, transposed } = parameters.get(name)!;
      const own = values(name);
      const [rows, columns] = shape as [number, number];
      const stored = transposed ? own.map((_, at) => own[(at % rows) * columns + Math.floor(at / rows)]!) : own;
      into?.set(stored);
      return into ?? stored;
    },
    readRows: (name, shape, first, count, into) => dense.readRows(name, shape, first, count, into),
  };
}

function keptOf(source: TensorSource, valuesOf: (parameter: Parameter) => Float32Array): Float32Array {
  if (source.kind === 'values') return source.values;
  const { parameter, rows, columns } = source;
  const width = parameter.shape[1] ?? 1;
  return valuesOf(parameter).filter((_, at) => rows?.[Math.floor(at / width)] !== 0 && columns?.[at % width] !== 0);
}
