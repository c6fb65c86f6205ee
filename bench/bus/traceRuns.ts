import { openCheckpoint } from '../../src/engine/checkpoint/checkpoint.ts';
import { BlockGrams } from '../../src/engine/evaluation/blockGrams.ts';
import { CalibrationStream } from '../../src/engine/evaluation/calibrationStream.ts';
import { BlockWeights } from '../../src/engine/forward/blockWeights.ts';
import { embed } from '../../src/engine/forward/embed.ts';
import { maskInputs } from '../../src/engine/forward/maskInputs.ts';
import { ModelPrograms } from '../../src/engine/forward/modelPrograms.ts';
import { CachedForward } from '../../src/engine/generation/cachedForward.ts';
import { collectGradients } from '../../src/engine/gradient/collectGradients.ts';
import { GradientOperands } from '../../src/engine/gradient/gradientOperands.ts';
import { Pruner } from '../../src/engine/pruning/pruner.ts';
import type { Device } from '../../src/engine/runtime/device.ts';
import { DeviceTensor } from '../../src/engine/runtime/deviceTensor.ts';
import { ReusedArrays } from '../../src/engine/runtime/reusedArrays.ts';
import { zeroBits } from '../../src/engine/runtime/zeroBits.ts';
import { disposePacked, packAll } from '../../src/engine/scoring/packedSequences.ts';
import { ScoredStream } from '../../src/engine/scoring/scoredStream.ts';
import { WANDA } from '../../src/engine/structure/metricScorer.ts';
import { openSolver } from '../../src/engine/update/openSolver.ts';
import { packBits } from '../../src/experiment/components.ts';
import type { BusShape, Bytes, CrossingName } from './crossings.ts';
import { ITERATIONS } from './crossings.ts';

export interface Trace {
  /** Of the model at hand. */
  readonly shape: BusShape;
  readonly bytes: Readonly<Record<CrossingName, Bytes>>;
}

const [TOKENS, BATCH, CAPACITY] = [16, 2, 64];
const noStep = (): Promise<void> => Promise.resolve();

/**
 * Runs of each kind on a small checkpoint in LLaMA's shape, and what they move. What is there once for all runs (weights, rotary tables) is there
 * before.
 *
 * @param device with memory of its own
 */
export async function traceRuns(folder: string, device: Device): Promise<Trace> {
  const checkpoint = await openCheckpoint(folder);
  const weights = new BlockWeights(checkpoint, device, true);
  try {
    const { config } = checkpoint;
    const layout = weights.layouts[0]!;
    const programs = await ModelPrograms.create(config, device, TOKENS, BATCH);
    const inputs = { checkpoint, device, programs, calibrationPrograms: programs };
    const sequences = Array.from({ length: BATCH }, (_, i) =>
      Int32Array.from({ length: TOKENS }, (_, token) => 2 + ((7 * token + 3 * i) % 50)),
    );
    const [block, head] = [await weights.block(0), await weights.head()];
    const counted = async (work: () => Promise<unknown>): Promise<Bytes> => {
      device.traffic.take();
      await work();
      const found = [...device.traffic.take().values()];
      return found.reduce((sum, { up, down }) => ({ up: sum.up + up, down: sum.down + down }), { up: 0, down: 0 });
    };

    const read = new BlockWeights(checkpoint, device, false);
    const weightBytes = await counted(async () => {
      read.done(await read.block(0));
    });
    const stream = await embed(inputs, sequences);
    const embedding = await counted(async () => {
      (await embed(inputs, sequences)).dispose();
    });
    const forward = await counted(() => stream.advance(layout, block, noStep, ''));

    const calibration = await CalibrationStream.open({ ...inputs, calibration: sequences }, ['X']);
    const statistics = await counted(() => calibration.observe(layout, block, true, noStep, ''));
    const seen = await calibration.observe(layout, block, false, noStep, '');

    const linears = layout.parameters.filter(({ linear }) => linear);
    const pruner = new Pruner(device, {
      ...{ metric: 'wanda', expression: WANDA, group: 'row' },
      sparsity: { kind: 'unstructured', share: 0.5 },
    });
    const pruned = new Map<string, DeviceTensor>();
    const pruning = await counted(async () => {
      for (const layer of linears) {
        const { name } = layer;
        pruned.set(name, (await pruner.prune(0, layer, block[name]!, seen.get(name), undefined))!);
      }
    });
    const probe = await counted(() => zeroBits(device, pruned.get(linears[0]!.name)!));
    const { kvHeads, intermediate } = layout.shape;
    const mask = maskInputs(layout, { groups: ones(kvHeads), channels: ones(intermediate) })!;
    const removal = await counted(() => stream.advance(layout, block, noStep, '', { mask }));

    let grams: BlockGrams | undefined;
    const gram = await counted(async () => {
      grams = await BlockGrams.open(device, linears, new ReusedArrays());
      await calibration.observe(layout, block, false, noStep, '', grams);
    });
    // The statistic comes down on the way.
    const gramBytes = { up: gram.up, down: gram.down - statistics.down };
    const last = linears.at(-1)!;
    const h = await grams!.of(last);
    const [weight, masked] = [block[last.name]!, pruned.get(last.name)!];
    const opened = async (update: Parameters<typeof openSolver>[2]): Promise<[opened: Bytes, updated: Bytes]> => {
      let solver: Awaited<ReturnType<typeof openSolver>> | undefined;
      const opening = await counted(async () => {
        solver = await openSolver(device, h, update);
      });
      const updating = await counted(async () => {
        (await solver!.update(weight, masked)).dispose();
      });
      solver!.dispose();
      return [opening, updating];
    };
    const [sparseGptOpened, sparseGpt] = await opened({ method: 'sparsegpt', damping: 0.1, columns: 128 });
    const [admmOpened, admm] = await opened({ method: 'admm', damping: 0.1, iterations: ITERATIONS });
    grams!.dispose();
    for (const tensor of pruned.values()) tensor.dispose();

    const [batch] = stream.batches;
    const loss = await counted(() => programs.losses(batch!, head));
    const dense = DeviceTensor.empty(batch!.x.shape);
    const divergence = await counted(() => programs.divergences(batch!, dense, head));

    for (const index of weights.layouts.keys()) await weights.block(index);
    const samples = { checkpoint, device, weights, samples: sequences };
    const request = { fingerprint: '', device, layouts: weights.layouts };
    const backward = await counted(() => collectGradients(samples, () => Promise.resolve(), noStep));
    const operands = await GradientOperands.compute(request, samples, undefined, noStep);
    const gradients = await counted(() => operands.block(0));
    operands.dispose();

    const asked = sequences.map((ids) => ({ ids, from: TOKENS - 3 }));
    const packed = await packAll(config, device, asked);
    const scored = await ScoredStream.open({ checkpoint, device }, packed);
    // Where they turn is told with the first block.
    await scored.advance(layout, block, noStep, '');
    const tasks = await counted(() => scored.advance(layout, block, noStep, ''));
    const scores = await counted(() => scored.finish(head, noStep));
    const [rows] = packed.groups.flatMap(({ batches }) =>
      batches.map((each) => each.rows.length * each.rows[0]!.ids.length),
    );
    await scored.dispose();
    disposePacked(packed);

    const cached = new CachedForward({ checkpoint, weights, device }, 1);
    await cached.feed([sequences[0]!], noStep);
    await cached.feed([Int32Array.of(3)], noStep);
    const token = await counted(() => cached.feed([Int32Array.of(3)], noStep));
    cached.dispose();
    stream.dispose();
    await calibration.dispose();
    programs.dispose();

    const { hidden, depth, vocabulary, headDim } = config;
    return {
      shape: {
        ...{ hidden, depth, vocabulary, headDim, kvHeads, intermediate, heads: layout.shape.heads },
        ...{ tokens: TOKENS, batch: BATCH, asked: 3 * BATCH, capacity: CAPACITY },
      },
      bytes: {
        ...{ weights: weightBytes, embedding, forward, statistics, pruning, gradients, probe, removal },
        ...{ gram: gramBytes, sparseGptOpened, sparseGpt, admmOpened, admm, loss, divergence, backward },
        // Rows are filled up: those that are asked about are what is told, whatever their length.
        tasks: { up: (tasks.up * TOKENS * BATCH) / rows!, down: tasks.down },
        ...{ scores, token },
      },
    };
  } finally {
    weights.dispose();
    checkpoint.close();
  }
}

function ones(count: number): string {
  return packBits(Array.from({ length: count }, () => true));
}
