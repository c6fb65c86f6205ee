import type { Graph, Node, Value } from '../graph/graph.ts';
import { sizeOf } from '../graph/shape.ts';

/** A product of matrices as the CPU's kernels see it: [rows, depth] · [depth, columns], so many times. */
interface Product {
  readonly batch: number;
  readonly rows: number;
  readonly columns: number;
  readonly depth: number;
  readonly transposeA: boolean;
  readonly transposeB: boolean;
}

/** Multiplications that ONNX Runtime gives to a thread at least. */
const GRAIN = 64 * 1024;

/** Columns that it never parts. */
const COLUMN_BLOCK = 16;

/** Columns and depth of what it packs at a time. */
const PACKED = 128;

/**
 * The most threads, `threads` at most, with which a program on the CPU adds up all its sums in the order in which one thread does.
 *
 * ONNX Runtime cuts a product into a part for each thread: by columns where it has more columns than rows, else by rows. A part is
 * then worked off as if it were the whole, and two things in that depend on its size: of parts with few columns more of the depth is added up
 * at a time, and a single row (or column) has a kernel of its own. So products of few rows come out otherwise in the last bits with
 * more threads, and such programs get fewer. The rules are those of `onnxruntime/core/mlas/lib/sgemm.cpp`; a test runs products of
 * many sizes with many threads, and finds them wrong when the runtime changes them. Everything else that a program is lowered to is
 * computed element by element or row by row.
 *
 * @param partsPerThread parts that a thread gets of a product: 1, or what {@link HYBRID_PARTS} says
 */
export function steadyThreads(graph: Graph, threads: number, partsPerThread = 1): number {
  const products = productsOf(graph);
  for (let count = threads; count > 1; count--) {
    if (products.every((product) => isSteady(product, count * partsPerThread))) return count;
  }
  return 1;
}

/** Parts that a thread gets on processors whose cores are of several kinds, so that the faster ones take more. */
export const HYBRID_PARTS = 4;

/** Of products with rows that data choose all that they may turn out to be. */
function productsOf({ nodes }: Graph): Product[] {
  const chosen = new Set<Value>();
  const found = new Map<string, readonly Product[]>();
  for (const node of nodes) {
    const isChosen = node.inputs.some((input) => chosen.has(input)) && node.primitive !== 'addRows';
    if (isChosen || node.primitive === 'takeRows') chosen.add(node.output);
    for (const product of productOf(node)) {
      const key = JSON.stringify([product, isChosen]);
      if (!found.has(key)) found.set(key, isChosen ? withFewerRows(product) : [product]);
    }
  }
  return [...found.values()].flat();
}

/** A product with the transpose of chosen rows adds up over them. */
function withFewerRows(product: Product): readonly Product[] {
  const { rows, depth, transposeA } = product;
  return transposeA
    ? Array.from({ length: depth }, (_, count) => ({ ...product, depth: count + 1 }))
    : Array.from({ length: rows }, (_, count) => ({ ...product, rows: count + 1 }));
}

function productOf({ primitive, parameters, inputs }: Node): Product[] {
  const [a, b] = inputs;
  if (primitive === 'linear') {
    const [[rows, depth], [columns]] = [a!.shape, b!.shape] as [[number, number], [number]];
    return [{ batch: 1, rows, columns, depth, transposeA: false, transposeB: true }];
  }
  if (primitive !== 'matMul') return [];
  const { transposeA, transposeB } = parameters as Node<'matMul'>['parameters'];
  const [first, second] = a!.shape.slice(-2) as [number, number];
  const [rows, depth] = transposeA ? [second, first] : [first, second];
  const columns = b!.shape.at(transposeB ? -2 : -1)!;
  return [{ batch: sizeOf(a!.shape.slice(0, -2)), rows, columns, depth, transposeA, transposeB }];
}

/** Whether a product of which the runtime may make so many parts comes out as of one. */
function isSteady({ batch, rows, columns, depth, transposeA, transposeB }: Product, most: number): boolean {
  const parts = Math.min(Math.floor((rows * columns * depth) / GRAIN) + 1, most);
  const each = Math.ceil(parts / batch);
  if (columns <= rows) {
    const cut = Math.min(each, rows);
    return cut === 1 || ((columns > 1 || transposeB) && (transposeA || Math.floor(rows / cut) > 1));
  }
  const blocks = Math.ceil(columns / COLUMN_BLOCK);
  const cut = Math.min(each, blocks);
  if (cut === 1) return true;
  const fewest = Math.floor(blocks / cut);
  const widths = [Math.ceil(blocks / cut), fewest].map((count) => count * COLUMN_BLOCK);
  const last = columns - (blocks - fewest) * COLUMN_BLOCK;
  const whole = depthAtATime(columns, depth, transposeA);
  return [...widths, last].every((width) => depthAtATime(width, depth, transposeA) === whole);
}

/** Of how much of the depth a part of so many columns is added up before it goes to the result. */
function depthAtATime(columns: number, depth: number, transposeA: boolean): number {
  let [width, step] = [PACKED, PACKED];
  if (columns < depth && !transposeA) {
    while (width > COLUMN_BLOCK && width / 2 >= columns) [width, step] = [width / 2, step * 2];
  }
  return Math.min(step, depth);
}
