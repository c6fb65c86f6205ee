import { Rng } from '../src/base/rng.ts';
import { printSparsity } from '../src/experiment/sparsity.ts';
import type { WeightSparsity } from '../src/experiment/sparsitySchema.ts';
import type { Parameter } from '../src/engine/families/family.ts';
import type { Graph } from '../src/engine/graph/graph.ts';
import { GraphBuilder } from '../src/engine/graph/graphBuilder.ts';
import { comparisonGroups } from '../src/engine/pruning/comparisonGroups.ts';
import { InputStatistics } from '../src/engine/pruning/inputStatistics.ts';
import { Pruner } from '../src/engine/pruning/pruner.ts';
import { writeScore } from '../src/engine/pruning/scoreGraph.ts';
import { Device } from '../src/engine/runtime/device.ts';
import { DeviceTensor } from '../src/engine/runtime/deviceTensor.ts';
import { peakMemory } from '../src/engine/runtime/memory.ts';
import { operandsOf } from '../src/metric/measure.ts';
import { parsePrefix } from '../src/metric/parsePrefix.ts';
import { comparedRow, type Row } from './report.ts';

/** The linear layers of a block, [out, in]. */
export const PRUNED_SHAPES = {
  tinyllama: llamaBlock({ hidden: 2048, intermediate: 5632, keys: 256 }),
  '7b': llamaBlock({ hidden: 4096, intermediate: 11_008, keys: 4096 }),
} as const;
export type PrunedShape = keyof typeof PRUNED_SHAPES;

/** The one process that a measurement has. */
export interface PruningJob {
  readonly way: 'ours' | 'topk';
  readonly shape: PrunedShape;
  readonly sparsity: WeightSparsity;
  readonly group: 'row' | 'layer';
  /** In prefix form. */
  readonly metric: string;
  readonly threads: number;
}

export interface PruningTimes {
  /** Seconds of processor. */
  readonly first: number;
  readonly next: number;
  /** MiB. */
  readonly peak: number;
  /** Zeros of a block. */
  readonly zeros: number;
}

/** What pruning takes in this process, which should be a fresh one. */
export async function measurePruning(job: PruningJob): Promise<PruningTimes> {
  const { shape, sparsity, group, metric, threads } = job;
  const device = new Device({ name: 'cpu', precision: 'float32', threads });
  const expression = parsePrefix(metric);
  const layers = PRUNED_SHAPES[shape];
  const pool = randomWeights(Math.max(...layers.map(({ shape: [out, columns] }) => out * columns)));
  const statistics = randomStatistics(Math.max(...layers.map(({ shape: [, columns] }) => columns)));
  const pruner = new Pruner(device, { metric, expression, sparsity, group });
  const prune: (block: number, layer: Parameter, weight: DeviceTensor) => Promise<DeviceTensor> =
    job.way === 'ours'
      ? async (block, layer, weight) =>
          (await pruner.prune(block, layer, weight, statistics(layer.shape[1]!), undefined))!
      : (_, layer, weight) => pruneByTopK(device, job, layer, weight, statistics(layer.shape[1]!));
  const times: number[] = [];
  let zeros = 0;
  for (let block = 0; block < 2; block++) {
    zeros = 0;
    let seconds = 0;
    for (const layer of layers) {
      const [out, columns] = layer.shape;
      const weight = DeviceTensor.fromHost(pool.subarray(0, out * columns), layer.shape);
      const before = process.cpuUsage();
      const pruned = await prune(block, layer, weight);
      const { user, system } = process.cpuUsage(before);
      seconds += (user + system) / 1e6;
      for (const value of pruned.floats()) if (value === 0) zeros++;
    }
    times.push(seconds);
  }
  return { first: times[0]!, next: times[1]!, peak: peakMemory() / 2 ** 20, zeros };
}

/** Rows of a table, ours in turn with TopK and ScatterElements, which selected before; each in a process that `child` starts. */
export async function comparePruning(
  job: Omit<PruningJob, 'way'>,
  rounds: number,
  child: (job: PruningJob) => Promise<PruningTimes>,
): Promise<readonly Row[]> {
  const [ours, others]: [PruningTimes[], PruningTimes[]] = [[], []];
  for (let round = 0; round < rounds; round++) {
    ours.push(await child({ ...job, way: 'ours' }));
    others.push(await child({ ...job, way: 'topk' }));
    if (ours.at(-1)!.zeros !== others.at(-1)!.zeros) throw new Error('the two remove different numbers of weights');
  }
  const what = `pruning ${printSparsity(job.sparsity)} of each ${job.group}, ${job.shape} block`;
  const row = (suffix: string, unit: string, of: (times: PruningTimes) => number, goal?: Row['goal']): Row =>
    comparedRow(`${what}${suffix}`, unit, ours.map(of), others.map(of), goal);
  const bar = job.group === 'row' && job.sparsity.kind === 'unstructured' ? BAR : undefined;
  return [
    row('', 's of CPU', ({ first }) => first, bar),
    row(': the next', 's of CPU', ({ next }) => next),
    row(': peak memory', 'MiB', ({ peak }) => peak),
  ];
}

/** Less than half of what TopK takes. */
const BAR = { of: 'ratio', bar: 2, stretch: 10 } as const;

type Layer = Parameter & { readonly shape: readonly [number, number] };

function llamaBlock(sizes: { hidden: number; intermediate: number; keys: number }): readonly Layer[] {
  const { hidden, intermediate, keys } = sizes;
  const layer = (name: string, out: number, columns: number): Layer => ({
    ...{ name, tensor: `${name}.weight`, linear: true, input: name, shape: [out, columns] },
  });
  return [
    layer('q_proj', hidden, hidden),
    layer('k_proj', keys, hidden),
    layer('v_proj', keys, hidden),
    layer('o_proj', hidden, hidden),
    layer('gate_proj', intermediate, hidden),
    layer('up_proj', intermediate, hidden),
    layer('down_proj', hidden, intermediate),
  ];
}

/** Normal numbers: a million are drawn and scaled anew each time they come round. */
function randomWeights(length: number): Float32Array {
  const rng = new Rng(1);
  const drawn = Float32Array.from({ length: 1 << 20 }, () => rng.normal());
  const weights = new Float32Array(length);
  for (let i = 0; i < length; i++) weights[i] = drawn[i & (drawn.length - 1)]! * (0.02 + (i >>> 20) * 1e-4);
  return weights;
}

function randomStatistics(columns: number): (columns: number) => InputStatistics {
  const rng = new Rng(2);
  const squares = Float32Array.from({ length: columns }, () => 0.1 + rng.normal() ** 2);
  return (count) => {
    const statistics = new InputStatistics();
    for (const statistic of ['sum-of-squares', 'sum-of-absolutes', 'maximum-absolute', 'sum'] as const)
      statistics.add(statistic, squares.subarray(0, count), count);
    statistics.count([128]);
    return statistics;
  };
}

/** The program that pruned until there was another selection. */
async function pruneByTopK(
  device: Device,
  { metric, sparsity, group }: PruningJob,
  { shape }: Parameter,
  weight: DeviceTensor,
  statistics: InputStatistics,
): Promise<DeviceTensor> {
  const expression = parsePrefix(metric);
  const [out, columns] = shape as [number, number];
  const { size, remove } = comparisonGroups([out, columns], sparsity, group);
  const groups = (out * columns) / size;
  const build = (): Graph => {
    const graph = new GraphBuilder();
    const signed = graph.input('weight', shape);
    const score = graph.reshape(writeScore(graph, expression, signed), [groups, size]);
    const zeros = graph.constant([0], [groups, remove]);
    const indices = graph.smallestIndices(score, remove);
    const pruned = graph.reshape(
      graph.scatterElements(graph.reshape(signed, [groups, size]), indices, zeros, 1),
      shape,
    );
    graph.output('zeros', graph.reduceSum(graph.cast(graph.equal(pruned, graph.scalar(0)), 'float32'), [1]));
    graph.output('pruned', pruned);
    return graph.build('TopK');
  };
  const program = await device.program(shape.join('×'), build, (name) => name !== 'pruned');
  const inputs: Record<string, DeviceTensor> = { weight };
  for (const name of operandsOf(expression)) {
    if (name === 'X' || name === 'Xabs' || name === 'Xmax')
      inputs[name] = DeviceTensor.fromHost(statistics.row(name), [1, columns]);
  }
  const spare = (spares[shape.join('×')] ??= new Float32Array(out * columns));
  const outputs = await program.run(inputs, { pruned: DeviceTensor.fromHost(spare, shape) });
  return outputs['pruned']!;
}

/** As the pruner had them: the pruned weights of every block go to the same arrays. */
const spares: Record<string, Float32Array> = {};
