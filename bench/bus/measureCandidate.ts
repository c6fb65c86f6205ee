import type { BlockLayout, Parameter } from '../../src/engine/families/family.ts';
import { familyOf } from '../../src/engine/families/families.ts';
import { HiddenStream } from '../../src/engine/forward/hiddenStream.ts';
import { ModelPrograms } from '../../src/engine/forward/modelPrograms.ts';
import { sizeOf } from '../../src/engine/graph/shape.ts';
import { parameterType } from '../../src/engine/models/blockGraph.ts';
import { Pruner } from '../../src/engine/pruning/pruner.ts';
import { InputStatistics } from '../../src/engine/pruning/inputStatistics.ts';
import type { Device } from '../../src/engine/runtime/device.ts';
import type { DeviceTensor } from '../../src/engine/runtime/deviceTensor.ts';
import { WANDA } from '../../src/engine/structure/metricScorer.ts';
import { configOf, SHAPES, type ShapeName } from './shapes.ts';

/** Seconds of a metric as a candidate on the whole test text, of parts that are measured and counted up. */
export interface CandidateSeconds {
  /** Bytes a second to the device and from it. */
  readonly upRate: number;
  readonly downRate: number;
  /** Of one block: a batch through it, all its layers pruned, its weights sent. */
  readonly block: number;
  readonly pruning: number;
  readonly weights: number;
  /** Of a batch: sent as it begins, losses at the end. */
  readonly embedding: number;
  readonly head: number;
  readonly batches: number;
  /** Of the candidate, weights being there. */
  readonly candidate: number;
}

/** Medians of so many; the first, which compiles, is left out. */
const ROUNDS = 5;

/** One block of random weights stands for all. */
export async function measureCandidate(shape: ShapeName, device: Device): Promise<CandidateSeconds> {
  const config = configOf(shape);
  const { tokens, sequences } = SHAPES[shape];
  const family = familyOf(config);
  const layout = family.block(config, 0);
  const programs = await ModelPrograms.create(config, device, tokens);
  const { batch } = programs;
  const rows = batch * tokens;
  const ids = Array.from({ length: batch }, () => new Int32Array(tokens).fill(1));
  const states = numbers(rows * config.hidden, 1);
  const upload = (): Promise<DeviceTensor> => device.upload(states, [rows, config.hidden], 'float32');
  // Runs end before the device does: it is done when a number has come back.
  const end = await device.upload(new Float32Array(1), [1], 'float32');
  const wait = (): Promise<unknown> => device.download(end);
  const timed = async (work: () => Promise<unknown>): Promise<number> => {
    const seconds: number[] = [];
    for (let round = 0; round <= ROUNDS; round++) {
      await wait();
      const begin = performance.now();
      await work();
      await wait();
      seconds.push((performance.now() - begin) / 1000);
    }
    return seconds.slice(1).sort((a, b) => a - b)[Math.floor(ROUNDS / 2)]!;
  };

  const embedding = await timed(async () => {
    (await upload()).dispose();
  });
  const x = await upload();
  const downloading = await timed(() => device.download(x));
  let sent: Record<string, DeviceTensor> = {};
  const weights = await timed(async () => {
    disposeAll(sent);
    sent = await weightsOf(device, layout.parameters);
  });
  const stream = new HiddenStream(device, programs, [{ batch, ids, x }]);
  const block = await timed(() => stream.advance(layout, sent, () => Promise.resolve(), ''));
  const pruning = await timed(() => pruned(device, layout, sent));
  disposeAll(sent);
  const { parameters, weight } = family.head(config);
  const head = await weightsOf(device, [...parameters, weight]);
  const losses = await timed(() => programs.losses(stream.batches[0]!, head));
  for (const each of [stream, programs, end]) each.dispose();
  disposeAll(head);

  const batches = Math.ceil(sequences / batch);
  return {
    ...{ upRate: (4 * states.length) / embedding, downRate: (4 * states.length) / downloading },
    ...{ block, pruning, weights, embedding, head: losses, batches },
    candidate: config.depth * (batches * block + pruning) + batches * (embedding + losses),
  };
}

async function pruned(
  device: Device,
  layout: BlockLayout,
  weights: Readonly<Record<string, DeviceTensor>>,
): Promise<void> {
  const sparsity = { kind: 'unstructured', share: 0.5 } as const;
  const pruner = new Pruner(device, { metric: 'wanda', expression: WANDA, sparsity, group: 'row' });
  for (const layer of layout.parameters) {
    if (!layer.linear) continue;
    const statistics = new InputStatistics();
    statistics.add('sum-of-squares', numbers(layer.shape[1]!, 1).map(Math.abs), layer.shape[1]!);
    statistics.count([1]);
    (await pruner.prune(0, layer, weights[layer.name]!, statistics, undefined))?.dispose();
  }
}

async function weightsOf(device: Device, parameters: readonly Parameter[]): Promise<Record<string, DeviceTensor>> {
  const made: Record<string, DeviceTensor> = {};
  for (const parameter of parameters) {
    const { name, shape } = parameter;
    const values = numbers(sizeOf(shape), 1 / Math.sqrt(shape.at(-1)!));
    made[name] = await device.upload(values, shape, parameterType(parameter, device.weightType));
  }
  return made;
}

function disposeAll(tensors: Readonly<Record<string, DeviceTensor>>): void {
  for (const tensor of Object.values(tensors)) tensor.dispose();
}

/** Not zeros: some products of zeros are faster. */
function numbers(count: number, scale: number): Float32Array {
  return new Float32Array(count).map((_, i) => scale * (((i * 7919) % 1009) / 504.5 - 1));
}
