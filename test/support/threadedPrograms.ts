import type { Value } from '../../src/engine/graph/graph.ts';
import type { GraphBuilder } from '../../src/engine/graph/graphBuilder.ts';
import { Device } from '../../src/engine/runtime/device.ts';
import type { Rng } from '../../src/base/rng.ts';
import { type HostTensor, randomTensor, runGraph } from './runGraph.ts';

export type Build = (graph: GraphBuilder, ...values: Value[]) => Value;

/** The numbers of threads with which a program gives anything else than with one, in any bit. */
export async function differingThreads(
  threads: readonly number[],
  inputs: readonly HostTensor[],
  build: Build,
): Promise<readonly number[]> {
  const bitsWith = async (count: number): Promise<Buffer> => {
    const device = new Device({ name: 'cpu', precision: 'float32', threads: count });
    try {
      const { buffer, byteOffset, byteLength } = await runGraph(device, inputs, build);
      return Buffer.from(buffer, byteOffset, byteLength);
    } finally {
      await device.dispose();
    }
  };
  const one = await bitsWith(1);
  const differing: number[] = [];
  for (const count of threads) if (!(await bitsWith(count)).equals(one)) differing.push(count);
  return differing;
}

export interface Product {
  readonly batch: number;
  readonly rows: number;
  readonly columns: number;
  readonly depth: number;
  readonly transposeA: boolean;
  readonly transposeB: boolean;
  readonly scale: number;
  /** A linear layer of the model, with a bias; else a product of matrices. */
  readonly linear: boolean;
}

/** Sizes at random: powers of two and odd ones, few rows and many. */
export function randomProduct(rng: Rng): Product {
  const pick = <Item>(...items: readonly Item[]): Item => items[rng.integer(items.length)]!;
  const size = (): number =>
    pick(
      () => 1 + rng.integer(20),
      () => 1 + rng.integer(150),
      () => pick(32, 48, 64, 80, 96, 128, 160, 192, 256, 320, 512),
      () => 1 + rng.integer(600),
    )();
  const linear = rng.uniform() < 0.4;
  return {
    batch: linear ? 1 : pick(1, 2, 3, 8),
    ...{ rows: size(), columns: size(), depth: pick(size(), 100 + rng.integer(900)), linear },
    transposeA: !linear && rng.uniform() < 0.3,
    transposeB: linear || rng.uniform() < 0.5,
    scale: linear ? 1 : pick(1, 0.17),
  };
}

function shapesOf({ batch, rows, columns, depth, transposeA, transposeB, linear }: Product): number[][] {
  const leading = batch === 1 ? [] : [batch];
  const a = [...leading, ...(transposeA ? [depth, rows] : [rows, depth])];
  const b = [...leading, ...(transposeB ? [columns, depth] : [depth, columns])];
  return [a, b, ...(linear ? [[columns]] : [])];
}

function buildOf({ transposeA, transposeB, scale, linear }: Product): Build {
  return (graph, a, b, bias) =>
    linear ? graph.linear(a, b, bias) : graph.matMul(a, b, { transposeA, transposeB, scale });
}

/** The numbers of threads that change a product. */
export function threadsThatChange(threads: readonly number[], product: Product): Promise<readonly number[]> {
  const inputs = shapesOf(product).map((shape, index) => randomTensor(shape, index, 1));
  return differingThreads(threads, inputs, buildOf(product));
}
