import { headSlice } from '../gradient/gradientPrograms.ts';
import type { TensorPool } from '../gradient/tensorPool.ts';
import type { Step } from '../forward/step.ts';
import type { DeviceTensor } from '../runtime/deviceTensor.ts';
import type { GradientSums } from './gradientSums.ts';
import { buildTrainingModel } from './trainingBlock.ts';
import {
  trainedAtHead,
  trainedIn,
  type TrainingModel,
  uploadTargets,
  weighted,
  type WeightedBatch,
} from './trainingModel.ts';

/**
 * A batch by one program that is the whole way there and back: all that blocks compute on their way forward is kept.
 *
 * @param pool that the batch's states go back to
 * @param sums that the gradients are added to
 * @returns what the batch adds to the loss
 */
export async function wholePass(
  model: TrainingModel,
  batch: WeightedBatch,
  pool: TensorPool,
  sums: GradientSums,
  step: Step,
): Promise<number> {
  const { checkpoint, device, programs, weights, tokens } = model;
  const { config } = checkpoint;
  const { layouts } = weights;
  const rows = batch.batch * tokens;
  const parts = layouts.map((layout) => trainedIn(model, layout));
  const headVectors = trainedAtHead(model).map(({ name }) => name);
  const options = { batch: batch.batch, tokens, parts, headVectors, slice: headSlice(config, device, rows) };
  const program = await device.program(
    `recovery model ${JSON.stringify([config, options])}`,
    () => buildTrainingModel(config, layouts, options),
    () => true,
  );
  const inputs: Record<string, DeviceTensor> = {
    ...(await weights.head()),
    ...(await uploadTargets(device, batch)),
    x: batch.x,
  };
  for (const [index, layout] of layouts.entries()) {
    const block = programs.inputs(layout, await weights.block(index));
    for (const [name, tensor] of Object.entries(block)) inputs[`${index}:${name}`] = tensor;
  }
  const outputs = await program.run(inputs);
  for (const tensor of [inputs['targets']!, inputs['rowWeights']!]) tensor.dispose();
  pool.give(batch.x);
  for (const [name, tensor] of Object.entries(outputs)) {
    const [, block, input] = /^(?:(\d+):)?d:(.*)$/.exec(name) ?? [];
    if (input !== undefined) sums.add(block === undefined ? 'head' : Number(block), input, tensor.floats());
  }
  await step('training');
  return weighted(outputs['loss']!.floats(), batch.rowWeights);
}
