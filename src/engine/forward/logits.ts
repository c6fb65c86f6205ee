import type { ModelConfig } from '../families/families.ts';
import { buildLogitsGraph } from '../models/headGraph.ts';
import type { Device } from '../runtime/device.ts';
import { DeviceTensor } from '../runtime/deviceTensor.ts';
import type { ModelTensors } from '../checkpoint/checkpoint.ts';
import type { BlockWeights, Weights } from './blockWeights.ts';
import { embed } from './embed.ts';
import type { HiddenBatch } from './hiddenBatch.ts';
import { ModelPrograms } from './modelPrograms.ts';

/** Where weights come from: of a checkpoint, or such as a training changes. */
export type BlockSource = Pick<BlockWeights, 'layouts' | 'block' | 'head' | 'done'>;

/** Logits [rows, vocabulary] of the last `rows` tokens of a sequence, by the engine's own programs. */
export async function logitsOf(
  { checkpoint, weights }: { readonly checkpoint: ModelTensors; readonly weights: BlockSource },
  device: Device,
  tokens: Int32Array,
  rows: number,
  step: () => Promise<void>,
): Promise<Float32Array> {
  const { config } = checkpoint;
  const programs = await ModelPrograms.create(config, device, tokens.length);
  const stream = await embed({ checkpoint, device, programs }, [tokens]);
  try {
    for (const [index, layout] of weights.layouts.entries()) {
      const block = await weights.block(index);
      try {
        await stream.advance(layout, block, step, '');
      } finally {
        weights.done(block);
      }
    }
    const head = await weights.head();
    try {
      return await finalLogits(config, device, stream.batches[0]!, head, rows);
    } finally {
      weights.done(head);
    }
  } finally {
    stream.dispose();
    programs.dispose();
  }
}

/** Logits [rows, vocabulary] of the last `rows` tokens of a batch's first sequence, from its states after the last block. */
export async function finalLogits(
  config: ModelConfig,
  device: Device,
  { ids, x }: HiddenBatch,
  head: Weights,
  rows: number,
): Promise<Float32Array> {
  const end = ids[0]!.length;
  const states = (await device.download(x)).slice((end - rows) * config.hidden, end * config.hidden);
  return headLogits(config, device, states, head);
}

/** States after the last block [rows, hidden] → logits [rows, vocabulary]. */
export async function headLogits(
  config: ModelConfig,
  device: Device,
  states: Float32Array,
  head: Weights,
): Promise<Float32Array> {
  const rows = states.length / config.hidden;
  const { precision, weightType } = device;
  const key = `logits ${JSON.stringify(config)} ${rows}`;
  const build = () => buildLogitsGraph(config, { rows, precision, weightType });
  const program = await device.program(key, build, () => true);
  const outputs = await program.run({ ...head, x: DeviceTensor.fromHost(states, [rows, config.hidden]) });
  return outputs['logits']!.floats();
}
