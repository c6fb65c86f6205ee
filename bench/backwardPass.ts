import { Rng } from '../src/base/rng.ts';
import { ModelPrograms } from '../src/engine/forward/modelPrograms.ts';
import type { HiddenBatch } from '../src/engine/forward/hiddenBatch.ts';
import { GradientPrograms } from '../src/engine/gradient/gradientPrograms.ts';
import { type BackwardModel, modelBackward } from '../src/engine/gradient/modelBackward.ts';
import { TensorPool } from '../src/engine/gradient/tensorPool.ts';
import { Device } from '../src/engine/runtime/device.ts';
import { DeviceTensor } from '../src/engine/runtime/deviceTensor.ts';
import { peakMemory } from '../src/engine/runtime/memory.ts';
import { parametersInMemory, statesInMemory } from '../test/support/generate/parametersInMemory.ts';
import { type BackwardShape, configOf, GROWTH } from './backwardShapes.ts';
import { clockOf } from './clock.ts';

/** Seconds of processor of one process. */
export interface BackwardTimes {
  /** A forward pass alone: blocks, and the head with its losses. */
  readonly forward: number;
  /** The way back: the head's part of it too, and blocks that compute their way forward again. */
  readonly backward: number;
  /** There and back: a forward pass that keeps what is needed is in it. */
  readonly whole: number;
  /** Largest resident set, MiB. */
  readonly peak: number;
}

const now = clockOf(true);

/** In this process: one pass of each kind to compile the programs, then one of each to be measured. */
export async function measureBackward(shape: BackwardShape, threads: number): Promise<BackwardTimes> {
  const pass = await passOf(shape, threads);
  await pass.forward();
  await pass.back();
  const [forward, { backward, whole }] = [await pass.forward(), await pass.back()];
  return { forward, backward, whole, peak: peakMemory() / 2 ** 20 };
}

/** Exponent of the way back's time by least squares over its logarithms, in samples, or in layers: then of the blocks alone. */
export async function measureGrowth(of: 'samples' | 'layers', threads: number): Promise<number> {
  const points: { readonly x: number; readonly y: number }[] = [];
  for (const shape of GROWTH[of]) {
    const pass = await passOf(shape, threads);
    await pass.back();
    const seconds: number[] = [];
    for (let run = 0; run < 3; run++) {
      const { backward, head } = await pass.back();
      seconds.push(of === 'layers' ? backward - head : backward);
    }
    points.push({ x: Math.log(of === 'layers' ? shape.depth : shape.samples), y: Math.log(Math.min(...seconds)) });
  }
  const mean = (value: (point: (typeof points)[number]) => number): number =>
    points.reduce((sum, point) => sum + value(point), 0) / points.length;
  const [x, y] = [mean((point) => point.x), mean((point) => point.y)];
  return mean((point) => (point.x - x) * (point.y - y)) / mean((point) => (point.x - x) ** 2);
}

/** Passes over the samples of a shape, each of which gives seconds of processor. */
async function passOf(shape: BackwardShape, threads: number) {
  const config = configOf(shape);
  const device = new Device({ name: 'cpu', precision: 'float32', threads });
  const programs = await ModelPrograms.create(config, device, shape.length);
  const model: BackwardModel = {
    ...{ config, device, programs, weights: parametersInMemory(config, device, 1), pool: new TensorPool(device) },
    gradients: new GradientPrograms(config, device, shape.length),
  };
  const rng = new Rng(2);
  const batches = Array.from({ length: Math.ceil(shape.samples / programs.batch) }, (_, i) => {
    const batch = Math.min(programs.batch, shape.samples - i * programs.batch);
    const ids = Array.from({ length: batch }, () =>
      Int32Array.from({ length: shape.length }, () => rng.integer(shape.vocabulary)),
    );
    return { batch, ids, x: statesInMemory(batch * shape.length, shape.hidden, i) };
  });
  return { forward: () => forwardSeconds(model, batches), back: () => backSeconds(model, batches, shape) };
}

/** As an evaluation does it: all batches through a block, then through the next. */
async function forwardSeconds({ programs, weights }: BackwardModel, inputs: readonly HiddenBatch[]): Promise<number> {
  const begin = now();
  const batches = inputs.map((batch) => ({
    ...batch,
    y: DeviceTensor.empty(batch.x.shape),
    spare: DeviceTensor.empty(batch.x.shape),
  }));
  for (const [index, layout] of weights.layouts.entries()) {
    const block = programs.inputs(layout, await weights.block(index));
    for (const batch of batches) {
      const program = await programs.block(layout, batch.batch);
      await program.run({ ...block, x: batch.x }, { y: batch.y });
      [batch.x, batch.y, batch.spare] = [batch.y, batch.spare, batch.y];
    }
  }
  const head = await weights.head();
  for (const batch of batches) await programs.losses(batch, head);
  return now() - begin;
}

async function backSeconds(model: BackwardModel, inputs: readonly HiddenBatch[], shape: BackwardShape) {
  // The input belongs to the pass.
  const batches = inputs.map(({ batch, ids, x }) => ({
    batch,
    ids,
    x: DeviceTensor.fromHost(x.floats().slice(), x.shape),
  }));
  const seconds = { forward: 0, head: 0, block: 0 };
  const begin = now();
  let last = begin;
  await modelBackward(
    model,
    batches,
    {
      ...{ sum: 'squares', rowWeight: 100 / (shape.length - 1), losses: false, room: Infinity },
      parameters: ({ parameters }) => parameters.filter(({ linear }) => linear).map(({ name }) => name),
      headParameters: [],
      onBlock: () => Promise.resolve(),
    },
    (detail) => {
      const kind = detail.startsWith('forward') ? 'forward' : detail.endsWith('head') ? 'head' : 'block';
      seconds[kind] += now() - last;
      last = now();
      return Promise.resolve();
    },
  );
  return { whole: now() - begin, backward: seconds.head + seconds.block, head: seconds.head };
}
