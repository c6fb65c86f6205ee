import { diagonalOf } from '../algebra/dampedGram.ts';
import { factorGram } from '../algebra/factorGram.ts';
import type { Gram } from '../algebra/gram.ts';
import { inverseOf } from '../algebra/inverseOf.ts';
import { tileEdges } from '../algebra/rowStack.ts';
import type { Graph } from '../graph/graph.ts';
import { GraphBuilder } from '../graph/graphBuilder.ts';
import type { Device } from '../runtime/device.ts';
import { DeviceTensor } from '../runtime/deviceTensor.ts';
import type { UpdateSolver } from './updateSolver.ts';

/**
 * ADMM under a fixed mask (Boža 2024, “Fast and Effective Weight Update for Pruned Large Language Models”): least squares of what the layer gives,
 * on inputs scaled to unit norm.
 *
 * With w₀ the scaled weight, A the scaled and damped Gram matrix, P = (A + I)⁻¹, and v = w + u of the paper, its iteration
 * `z = (w + u) ⊙ keep; u += w − z; w = P (A w₀ + z − u)` is v ← w₀ + v ⊙ gone − (w₀ − v ⊙ (keep − gone)) P from v = w₀, since P A = I − P. So
 * there is one product in each, and what is rounded is the change.
 *
 * @throws EspalierError `recovery/ill-conditioned`
 */
export async function openAdmm(
  device: Device,
  gram: Gram,
  { damping: asked, iterations }: { readonly damping: number; readonly iterations: number },
): Promise<UpdateSolver> {
  const n = gram.size;
  const diagonal = await diagonalOf(device, gram);
  const norm = diagonal.map((value) => Math.sqrt(value) + 1e-8);
  const scale = norm.map((value) => 1 / value);
  const mean = diagonal.reduce((sum, value, i) => sum + value * scale[i]! ** 2, 0) / n;
  const { factor, damping } = await factorGram(device, asked, tileEdges(n), (tried) => ({
    gram,
    scale,
    shift: new Float32Array(n).fill(1 + tried * mean),
  }));
  const inverse = await inverseOf(device, factor);
  factor.dispose();
  const row = DeviceTensor.fromHost(norm, [1, n]);
  return {
    damping,
    async update(weight, pruned) {
      const [out] = weight.shape as [number, number];
      const programs = await admmPrograms(device, out, n);
      const { w, keep } = await programs.begin.run({ weight, pruned, norm: row });
      let v = w!;
      for (let i = 0; i < iterations; i++) {
        const next = (await programs.step.run({ w: w!, keep: keep!, v, inverse }))['next']!;
        if (v !== w) v.dispose();
        v = next;
      }
      const { updated } = await programs.end.run({ keep: keep!, v, norm: row });
      for (const tensor of new Set([w!, keep!, v])) tensor.dispose();
      return updated!;
    },
    dispose: () => {
      inverse.dispose();
    },
  };
}

async function admmPrograms(device: Device, out: number, n: number) {
  const shape = [out, n] as const;
  const program = (name: string, write: (graph: GraphBuilder) => void) => {
    const build = (): Graph => {
      const graph = new GraphBuilder();
      write(graph);
      return graph.build(`admm ${name}`);
    };
    return device.program(`admm ${name} ${out}×${n}`, build, () => false);
  };
  return {
    begin: await program('begin', (graph) => {
      const [weight, pruned] = ['weight', 'pruned'].map((name) =>
        graph.cast(graph.input(name, shape, device.weightType), 'float32'),
      );
      const gone = graph.cast(graph.equal(pruned!, graph.scalar(0)), 'float32');
      graph.output('w', graph.mul(weight!, graph.input('norm', [1, n])));
      graph.output('keep', graph.sub(graph.scalar(1), gone));
    }),
    step: await program('step', (graph) => {
      const [w, keep, v] = ['w', 'keep', 'v'].map((name) => graph.input(name, shape));
      const kept = graph.mul(v!, keep!);
      const gone = graph.sub(v!, kept);
      const change = graph.sub(w!, graph.sub(kept, gone));
      const moved = graph.matMul(change, graph.input('inverse', [n, n]));
      graph.output('next', graph.sub(graph.add(w!, gone), moved));
    }),
    end: await program('end', (graph) => {
      const kept = graph.mul(graph.input('v', shape), graph.input('keep', shape));
      graph.output('updated', graph.cast(graph.div(kept, graph.input('norm', [1, n])), device.weightType));
    }),
  };
}
