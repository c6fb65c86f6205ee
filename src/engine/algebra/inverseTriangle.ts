import { GraphBuilder } from '../graph/graphBuilder.ts';
import type { Graph } from '../graph/graph.ts';
import type { Device } from '../runtime/device.ts';
import { DeviceTensor } from '../runtime/deviceTensor.ts';
import { inverseReverseCholesky } from './reverseCholesky.ts';

/** Rows of what is left to loops: fewer are more runs of programs. */
const LEAF = 64;

/**
 * V, upper, with VᵀV = A⁻¹, A = S + diag(shift): the inverse of the reverse Cholesky factor U of A = U Uᵀ. By halves, of which the right one comes first:
 *
 *     U₁₂ = A₁₂ V₂₂ᵀ,   A₁₁ − U₁₂ U₁₂ᵀ = U₁₁ U₁₁ᵀ,   V₁₂ = −V₁₁ U₁₂ V₂₂
 *
 * which are products of matrices; what is small enough goes in loops, in float64. On a device all of it does, as the way there is longer.
 *
 * @param s [n, n], row-major, symmetric; its upper half is read
 * @param shift [n] or longer
 * @returns [n, n]; undefined where the matrix is not positive definite as far as can be told
 */
export async function inverseTriangle(
  device: Device,
  s: Float32Array,
  shift: Float32Array,
): Promise<Float32Array | undefined> {
  const n = Math.sqrt(s.length);
  if (n <= LEAF || device.resident) return inverseReverseCholesky(s, shift);
  const left = LEAF * 2 ** Math.floor(Math.log2((n - 1) / LEAF));
  const part = (begin: number, end: number, from: number, to: number): DeviceTensor =>
    DeviceTensor.fromHost(cut(s, n, begin, end, from, to), [end - begin, to - from]);
  const v22 = await inverseTriangle(device, cut(s, n, left, n, left, n), shift.subarray(left));
  if (!v22) return undefined;
  const shape = `${left} ${n - left}`;
  const reduce = await device.program(
    `reduced triangle ${shape}`,
    () => reduceGraph(left, n - left),
    () => true,
    true,
  );
  const reduced = await reduce.run({
    a11: part(0, left, 0, left),
    a12: part(0, left, left, n),
    v22: DeviceTensor.fromHost(v22, [n - left, n - left]),
  });
  const v11 = await inverseTriangle(device, reduced['s11']!.floats(), shift);
  if (!v11) return undefined;
  const join = await device.program(
    `joined triangle ${shape}`,
    () => joinGraph(left, n - left),
    () => true,
    true,
  );
  const v12 = await join.run({ v11: DeviceTensor.fromHost(v11, [left, left]), u12v22: reduced['u12v22']! });
  const whole = new Float32Array(n * n);
  paste(whole, n, 0, 0, v11, left);
  paste(whole, n, 0, left, v12['v12']!.floats(), n - left);
  paste(whole, n, left, left, v22, n - left);
  return whole;
}

function reduceGraph(left: number, right: number): Graph {
  const graph = new GraphBuilder();
  const v22 = graph.input('v22', [right, right]);
  const u12 = graph.matMul(graph.input('a12', [left, right]), v22, { transposeB: true });
  graph.output('s11', graph.sub(graph.input('a11', [left, left]), graph.matMul(u12, u12, { transposeB: true })));
  graph.output('u12v22', graph.matMul(u12, v22));
  return graph.build('reduced triangle');
}

function joinGraph(left: number, right: number): Graph {
  const graph = new GraphBuilder();
  const [v11, u12v22] = [graph.input('v11', [left, left]), graph.input('u12v22', [left, right])];
  graph.output('v12', graph.matMul(v11, u12v22, { scale: -1 }));
  return graph.build('joined triangle');
}

/** Rows `begin` to `end`, columns `from` to `to` of a matrix with n columns. */
function cut(matrix: Float32Array, n: number, begin: number, end: number, from: number, to: number): Float32Array {
  const part = new Float32Array((end - begin) * (to - from));
  for (let row = begin; row < end; row++) {
    part.set(matrix.subarray(row * n + from, row * n + to), (row - begin) * (to - from));
  }
  return part;
}

function paste(whole: Float32Array, n: number, top: number, left: number, part: Float32Array, width: number): void {
  for (let row = 0; row * width < part.length; row++) {
    whole.set(part.subarray(row * width, (row + 1) * width), (top + row) * n + left);
  }
}
