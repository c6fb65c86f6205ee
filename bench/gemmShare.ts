import { sweep } from '../src/engine/evaluation/sweep.ts';
import type { Device } from '../src/engine/runtime/device.ts';
import { DeviceTensor } from '../src/engine/runtime/deviceTensor.ts';
import { buildGemmGraph } from '../src/engine/runtime/gemmGraph.ts';
import { timed } from './clock.ts';
import { linearShapes, type ModelShape } from './generatedModel.ts';
import { type Opened, yieldOnce } from './openInputs.ts';
import { median } from './report.ts';

export interface GemmShare {
  /** Of the dense perplexity. */
  readonly seconds: number;
  /** Operations of all its products a second, and what the same runtime reaches on these products alone; GFLOP/s. */
  readonly rate: number;
  readonly gemm: number;
}

/**
 * How much of the rate that the runtime multiplies the model's own matrices with is left when its dense perplexity is evaluated. Each shape,
 * [tokens, in] · weightᵀ with the weight as an input, is measured before the model and after it, and the higher rate counts; the rates are
 * weighted by how many operations the model spends on each. Attention's two products over the tokens before each token count as operations at that
 * mean rate; norms, rotations, softmax and reading weights count as nothing, but their time does.
 */
export async function gemmShare(
  { device, inputs, plan }: Opened,
  shape: ModelShape,
  now: () => number,
): Promise<GemmShare> {
  const { length } = plan.settings;
  const tokens = inputs.evaluation.length * length;
  const products = productsOf(shape);
  const rows = Math.max(length, 1024);
  const measure = async (): Promise<readonly number[]> => {
    const rates: number[] = [];
    for (const { out, columns } of products) rates.push(await gemmRate(device, [rows, columns, out], now));
    return rates;
  };
  const before = await measure();
  const { seconds } = await timed(now, () => sweep(inputs, true, [], yieldOnce));
  const after = await measure();

  const linear = products.map(({ out, columns, times }) => 2 * times * out * columns * tokens);
  const ideal = linear.reduce((sum, operations, i) => sum + operations / Math.max(before[i]!, after[i]!), 0);
  const gemm = total(linear) / ideal;
  const attention = 2 * shape.depth * 2 * shape.hidden * ((length + 1) / 2) * tokens;
  return { seconds, rate: (total(linear) + attention) / seconds / 1e9, gemm: gemm / 1e9 };
}

/** Every shape of a product with a weight, and how often a token meets it. */
function productsOf(shape: ModelShape): readonly { out: number; columns: number; times: number }[] {
  const found = new Map<string, { out: number; columns: number; times: number }>();
  const add = (out: number, columns: number, times: number): void => {
    const known = found.get(`${out}×${columns}`);
    if (known) known.times += times;
    else found.set(`${out}×${columns}`, { out, columns, times });
  };
  for (const [out, columns] of linearShapes(shape)) add(out, columns, shape.depth);
  add(shape.vocabulary, shape.hidden, 1);
  return [...found.values()];
}

/** Operations a second of x [m, k] · weightᵀ [n, k], float32: the median of five after one. */
async function gemmRate(
  device: Device,
  [m, k, n]: readonly [number, number, number],
  now: () => number,
): Promise<number> {
  const program = await device.program(
    `gemm ${m} ${k} ${n}`,
    () => buildGemmGraph(m, k, n, 'float32'),
    () => true,
  );
  // No zeros: some products of zeros are faster.
  const numbers = (rows: number, columns: number) => {
    const values = new Float32Array(rows * columns).map((_, i) => ((i * 7919) % 1009) / 504.5 - 1);
    return DeviceTensor.fromHost(values, [rows, columns]);
  };
  const inputs = { x: numbers(m, k), weight: numbers(n, k) };
  const y = DeviceTensor.empty([m, n]);
  const seconds: number[] = [];
  for (let i = 0; i < 6; i++) seconds.push((await timed(now, () => program.run(inputs, { y }))).seconds);
  // What it holds would be in the next one's way.
  await device.release(() => false);
  return (2 * m * k * n) / median(seconds.slice(1));
}

function total(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}
