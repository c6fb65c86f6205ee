import { diagonalOf } from '../algebra/dampedGram.ts';
import { factorGram } from '../algebra/factorGram.ts';
import type { Gram } from '../algebra/gram.ts';
import { inverseOf } from '../algebra/inverseOf.ts';
import { tileEdges } from '../algebra/rowStack.ts';
import type { Pause } from '../runtime/pause.ts';
import type { Graph } from '../graph/graph.ts';
import { GraphBuilder } from '../graph/graphBuilder.ts';
import type { Device, Program } from '../runtime/device.ts';
import { DeviceTensor } from '../runtime/deviceTensor.ts';
import { requireFinite } from './requireFinite.ts';
import { byRows } from './rowChunks.ts';
import type { UpdateSolver } from './updateSolver.ts';

/**
 * ADMM under a fixed mask (Boža 2024, “Fast and Effective Weight Update for Pruned Large Language Models”): least squares of what the layer gives,
 * on inputs scaled to unit norm.
 *
 * With w₀ the scaled weight, A the scaled and damped Gram matrix, P = (A + I)⁻¹, and v = w + u of the paper, its iteration
 * `z = (w + u) ⊙ keep; u += w − z; w = P (A w₀ + z − u)` is v ← w₀ + v ⊙ gone − (w₀ − v ⊙ (keep − gone)) P from v = w₀, since P A = I − P. So
 * there is one product in each, and what is rounded is the change.
 *
 * @param iterations 1 or more
 * @throws EspalierError `recovery/ill-conditioned`
 */
export async function openAdmm(
  device: Device,
  gram: Gram,
  { damping: asked, iterations }: { readonly damping: number; readonly iterations: number },
  opening?: Pause,
): Promise<UpdateSolver> {
  const n = gram.size;
  const diagonal = await diagonalOf(device, gram);
  const norm = diagonal.map((value) => Math.sqrt(value) + 1e-8);
  const scale = norm.map((value) => 1 / value);
  const mean = diagonal.reduce((sum, value, i) => sum + value * scale[i]! ** 2, 0) / n;
  const damp = (tried: number) => ({ gram, scale, shift: new Float32Array(n).fill(1 + tried * mean) });
  const { factor, damping } = await factorGram(device, asked, tileEdges(device, n), damp, opening);
  const inverse = await inverseOf(device, factor, opening).finally(() => {
    factor.dispose();
  });
  const row = DeviceTensor.fromHost(norm, [1, n]);
  return {
    damping,
    async update(weight, pruned, pause) {
      const updated = await byRows(device, [weight.shape[0]!, n], (rowsOf) =>
        updateRows(device, rowsOf(weight), rowsOf(pruned), row, inverse, iterations, pause),
      );
      return requireFinite(device, updated, 'ADMM');
    },
    dispose() {
      inverse.dispose();
    },
  };
}

async function updateRows(
  device: Device,
  weight: DeviceTensor,
  pruned: DeviceTensor,
  norm: DeviceTensor,
  inverse: DeviceTensor,
  iterations: number,
  pause: Pause | undefined,
): Promise<DeviceTensor> {
  const [rows, n] = weight.shape as [number, number];
  const program = (name: string, build: () => Graph): Promise<Program> =>
    device.program(
      `admm ${name} ${rows}×${n}`,
      build,
      () => false,
      // As large as a layer, of each shape: they would keep what they have computed on their way.
      true,
    );
  const begin = await program('begin', () => beginGraph(rows, n, device.weightType));
  const begun = await begin.run({ weight, pruned, norm });
  const [w, gone, sign] = [begun['w']!, begun['gone']!, begun['sign']!];
  let v = w;
  try {
    for (let done = 0; done < iterations;) {
      await pause?.();
      const many = Math.min(iterations - done, TOGETHER);
      const steps = await program(`${many} steps`, () => stepsGraph(rows, n, many));
      const { next } = await steps.run({ w, gone, sign, v, inverse });
      if (v !== w) v.dispose();
      v = next!;
      done += many;
    }
    const end = await program('end', () => endGraph(rows, n, device.weightType));
    const { updated } = await end.run({ gone, v, norm });
    return updated!;
  } finally {
    for (const tensor of [w, gone, sign, v]) tensor.dispose();
  }
}

type WeightType = Device['weightType'];

/** Iterations of one program: its results on their way need not leave it. */
const TOGETHER = 10;

function beginGraph(rows: number, n: number, type: WeightType): Graph {
  const graph = new GraphBuilder();
  const read = (name: string) => graph.cast(graph.input(name, [rows, n], type), 'float32');
  const gone = graph.cast(graph.equal(read('pruned'), graph.scalar(0)), 'float32');
  graph.output('w', graph.mul(read('weight'), graph.input('norm', [1, n])));
  graph.output('gone', gone);
  graph.output('sign', graph.sub(graph.scalar(1), graph.add(gone, gone)));
  return graph.build('admm begin');
}

function stepsGraph(rows: number, n: number, count: number): Graph {
  const graph = new GraphBuilder();
  const [w, gone, sign, begun] = ['w', 'gone', 'sign', 'v'].map((name) => graph.input(name, [rows, n]));
  const inverse = graph.input('inverse', [n, n]);
  let v = begun!;
  for (let i = 0; i < count; i++) {
    const moved = graph.matMul(graph.sub(w!, graph.mul(v, sign!)), inverse);
    v = graph.sub(graph.add(w!, graph.mul(v, gone!)), moved);
  }
  graph.output('next', v);
  return graph.build('admm steps');
}

function endGraph(rows: number, n: number, type: WeightType): Graph {
  const graph = new GraphBuilder();
  const kept = graph.sub(graph.scalar(1), graph.input('gone', [rows, n]));
  const updated = graph.div(graph.mul(graph.input('v', [rows, n]), kept), graph.input('norm', [1, n]));
  graph.output('updated', graph.cast(updated, type));
  return graph.build('admm end');
}
