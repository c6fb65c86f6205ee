import type { ModelMask } from '../../../src/experiment/structureSchema.ts';
import type { Checkpoint, ModelTensors } from '../../../src/engine/checkpoint/checkpoint.ts';
import { prunedConfig } from '../../../src/engine/export/prunedConfig.ts';
import { structuralSources, type TensorSource } from '../../../src/engine/export/tensorSources.ts';
import type { BlockFill } from '../../../src/engine/forward/maskInputs.ts';
import type { RawConfig } from '../../support/generate/tensorInventory.ts';

/**
 * The model that a mask leaves, as an export describes it, read without being written.
 *
 * @param read another way to read the dense model's tensors
 */
export function removedTensors(
  dense: Checkpoint,
  config: RawConfig,
  mask: ModelMask,
  fills?: readonly BlockFill[],
  read: ModelTensors['read'] = (name, shape) => dense.read(name, shape),
): ModelTensors {
  const pruned = prunedConfig(config, dense.config, mask, fills !== undefined);
  const sources = structuralSources(dense, pruned, mask, fills);
  return {
    config: pruned.config,
    read(name, _, into) {
      const values = valuesOf(sources.get(name)!, read);
      into?.set(values);
      return into ?? values;
    },
    readRows: (name, shape, first, count, into) => dense.readRows(name, shape, first, count, into),
  };
}

function valuesOf(source: TensorSource, read: ModelTensors['read']): Float32Array {
  if (source.kind === 'values') return source.values;
  const { parameter, rows, columns } = source;
  const width = parameter.shape[1] ?? 1;
  return read(parameter.tensor, parameter.shape).filter(
    (_, at) => rows?.[Math.floor(at / width)] !== 0 && columns?.[at % width] !== 0,
  );
}
