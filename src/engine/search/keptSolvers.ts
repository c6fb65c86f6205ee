import type { WeightUpdate } from '../../experiment/updates.ts';
import { BlockGrams, inputOf } from '../evaluation/blockGrams.ts';
import type { LayerSolvers, OpenedSolver } from '../evaluation/blockSolvers.ts';
import type { BlockStatistics } from '../evaluation/blockStatistics.ts';
import { CalibrationStream } from '../evaluation/calibrationStream.ts';
import type { SweepInputs } from '../evaluation/sweepInputs.ts';
import type { BlockLayout, Parameter } from '../families/family.ts';
import type { Step } from '../forward/step.ts';
import type { RowOperand } from '../pruning/inputStatistics.ts';
import { ReusedArrays } from '../runtime/reusedArrays.ts';
import { openSolver } from '../update/openSolver.ts';
import type { UpdateSolver } from '../update/updateSolver.ts';

/**
 * What updates need of the dense model's H, for every input of every block, found once and kept for all candidates of a search: a candidate
 * then costs its masks, the update itself and its forward passes.
 */
export class KeptSolvers {
  /** Of each block by the names of its inputs; without those that no token reached. */
  private readonly blocks: readonly ReadonlyMap<string, UpdateSolver>[];

  private constructor(blocks: readonly ReadonlyMap<string, UpdateSolver>[]) {
    this.blocks = blocks;
  }

  /**
   * Carries the calibration samples through the dense model.
   *
   * @param rows whose statistics are collected on the way
   * @throws EspalierError `recovery/ill-conditioned`
   */
  static async collect(
    inputs: SweepInputs,
    update: WeightUpdate,
    rows: readonly RowOperand[],
    step: Step,
  ): Promise<{ readonly solvers: KeptSolvers; readonly statistics: readonly BlockStatistics[] }> {
    const { weights, device } = inputs;
    const depth = weights.layouts.length;
    const statistics: BlockStatistics[] = [];
    const blocks: Map<string, UpdateSolver>[] = [];
    const arrays = new ReusedArrays();
    const calibration = await CalibrationStream.open(inputs, rows);
    try {
      for (const [index, layout] of weights.layouts.entries()) {
        const layers = layout.parameters.filter(({ linear }) => linear);
        const grams = await BlockGrams.open(device, layers, arrays);
        const block = await weights.block(index);
        try {
          const where = `dense, block ${index + 1} of ${depth}`;
          statistics.push(await calibration.observe(layout, block, index + 1 < depth, step, where, grams));
          blocks.push(new Map());
          for (const layer of layers) {
            const gram = await grams.of(layer);
            if (gram.tokens === 0 || blocks[index]!.has(inputOf(layer))) continue;
            blocks[index]!.set(inputOf(layer), await openSolver(device, gram, update, step.pause));
          }
        } finally {
          weights.done(block);
          grams.dispose();
        }
      }
      return { solvers: new KeptSolvers(blocks), statistics };
    } catch (error) {
      new KeptSolvers(blocks).dispose();
      throw error;
    } finally {
      await calibration.dispose();
    }
  }

  /** Those of a block, as a sweep asks for them; they stay when it is through. */
  block(index: number): LayerSolvers {
    const solvers = this.blocks[index]!;
    return {
      get: (layer: Parameter): Promise<OpenedSolver> =>
        Promise.resolve({ solver: solvers.get(inputOf(layer))!, seconds: 0 }),
      release: () => undefined,
      dispose: () => undefined,
    };
  }

  dispose(): void {
    for (const solvers of this.blocks) for (const solver of solvers.values()) solver.dispose();
  }
}

/** What {@link KeptSolvers} keep: a matrix as wide as each input. */
export function solverBytes(layouts: readonly BlockLayout[]): number {
  const widths = layouts.flatMap(({ parameters }) => [
    ...new Map(parameters.filter(({ linear }) => linear).map((layer) => [inputOf(layer), layer.shape[1]!])).values(),
  ]);
  return widths.reduce((sum, width) => sum + 4 * width ** 2, 0);
}

/** Program runs of {@link KeptSolvers.collect}. */
export function countSolverSteps({ weights, calibration, calibrationPrograms }: SweepInputs): number {
  return weights.layouts.length * Math.ceil(calibration.length / calibrationPrograms.batch);
}
