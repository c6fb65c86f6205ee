import type { Checkpoint } from '../checkpoint/checkpoint.ts';
import type { RemovedComponents } from '../evaluation/removal.ts';
import type { StepHooks } from '../forward/step.ts';
import { allParameters } from '../families/families.ts';
import { storedShape } from '../families/family.ts';
import { CheckpointWriter } from './checkpointWriter.ts';
import { copyTensor } from './copyTensor.ts';
import { prunedConfig } from './prunedConfig.ts';
import { structuralSources, type TensorSource } from './tensorSources.ts';
import { type WrittenConfig, writingStep } from './writtenConfig.ts';

/** The matrices that are left of a model that whole components were removed from. */
export async function writeRemoved(
  dense: Checkpoint,
  values: WrittenConfig['values'],
  { mask, fills }: RemovedComponents,
  folder: string,
  hooks: StepHooks,
): Promise<WrittenConfig> {
  const pruned = prunedConfig(values, dense.config, mask, fills !== undefined);
  const sources = structuralSources(dense, pruned, mask, fills);
  const parameters = allParameters(pruned.config);
  const typeOf = (source: TensorSource) =>
    source.kind === 'values' ? 'F32' : dense.tensors.get(source.parameter.tensor)!.dtype;
  const writer = new CheckpointWriter(
    folder,
    new Map(
      parameters.map((parameter) => {
        const { tensor } = parameter;
        return [tensor, { dtype: typeOf(sources.get(tensor)!), shape: storedShape(parameter) }];
      }),
    ),
  );
  try {
    for (const [index, { tensor }] of parameters.entries()) {
      const step = writingStep(hooks, index, parameters.length);
      const source = sources.get(tensor)!;
      if (source.kind === 'stored') await copyTensor(dense, source, writer, tensor, step);
      else writer.write(tensor, 0, new Uint8Array(source.values.buffer));
    }
    await writer.finish();
  } finally {
    writer.abandon();
  }
  return pruned;
}
