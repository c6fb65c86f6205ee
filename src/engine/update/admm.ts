import { diagonalOf } from '../algebra/dampedGram.ts';
import { factorGram } from '../algebra/factorGram.ts';
import type { Gram } from '../algebra/gram.ts';
import { inverseOf } from '../algebra/inverseOf.ts';
import { tileEdges } from '../algebra/rowStack.ts';
import type { Pause } from '../runtime/pause.ts';
import type { Graph, Value } from '../graph/graph.ts';
import { GraphBuilder } from '../graph/graphBuilder.ts';
import type { Device } from '../runtime/device.ts';
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
  const { factor, damping } = await factorGram(device, asked, tileEdges(n), damp, opening);
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
  const together = rows * n * n * iterations <= AT_ONCE ? iterations : TOGETHER;
  let state: Readonly<Record<'w' | 'gone' | 'v', DeviceTensor>> | undefined;
  try {
    for (let done = 0; ; done += together) {
      await pause?.();
      const part = {
        begins: done === 0,
        count: Math.min(together, iterations - done),
        ends: done + together >= iterations,
      };
      const program = await device.program(
        `admm ${rows}×${n} ${Object.values(part).join(' ')}`,
        () => partGraph(rows, n, part, device.weightType),
        () => false,
        // As large as a layer, of each shape: they would keep what they have computed on their way.
        true,
      );
      const { updated, w, gone, v } = await program.run({ ...(state ?? { weight, pruned }), norm, inverse });
      if (updated) return updated;
      state?.v.dispose();
      state = { w: w ?? state!.w, gone: gone ?? state!.gone, v: v! };
    }
  } finally {
    for (const tensor of Object.values(state ?? {})) tensor.dispose();
  }
}

type WeightType = Device['weightType'];

/** Iterations of one program: its results on their way need not leave it. */
const TOGETHER = 10;

/** Multiplications that go without a pause, a second's at most: then a program is all of it. */
const AT_ONCE = 1e10;

interface Part {
  readonly begins: boolean;
  /** Iterations. */
  readonly count: number;
  readonly ends: boolean;
}

/** From the weight or from w₀, gone and v, to the updated weight or to these; of an update's parts all but the first leave w₀ and gone as they are. */
function partGraph(rows: number, n: number, { begins, count, ends }: Part, type: WeightType): Graph {
  const graph = new GraphBuilder();
  const norm = begins || ends ? graph.input('norm', [1, n]) : undefined;
  const inverse = graph.input('inverse', [n, n]);
  const read = (name: string): Value => graph.cast(graph.input(name, [rows, n], type), 'float32');
  const state = (name: string): Value => graph.input(name, [rows, n]);
  const w = begins ? graph.mul(read('weight'), norm!) : state('w');
  const gone = begins ? graph.cast(graph.equal(read('pruned'), graph.scalar(0)), 'float32') : state('gone');
  const sign = graph.sub(graph.scalar(1), graph.add(gone, gone));
  let v = begins ? w : state('v');
  for (let i = 0; i < count; i++) {
    const moved = graph.matMul(graph.sub(w, graph.mul(v, sign)), inverse);
    v = graph.sub(graph.add(w, graph.mul(v, gone)), moved);
  }
  if (ends) {
    const kept = graph.mul(v, graph.sub(graph.scalar(1), gone));
    graph.output('updated', graph.cast(graph.div(kept, norm!), type));
  } else {
    if (begins) graph.output('w', w);
    if (begins) graph.output('gone', gone);
    graph.output('v', v);
  }
  return graph.build('admm');
}
