import type { WeightUpdate } from '../../experiment/updates.ts';
import { updateText } from '../../experiment/updates.ts';
import type { Parameter } from '../families/family.ts';
import type { Pause } from '../runtime/pause.ts';
import { Stopwatch } from '../forward/stopwatch.ts';
import type { Device } from '../runtime/device.ts';
import { openSolver } from '../update/openSolver.ts';
import type { UpdateSolver } from '../update/updateSolver.ts';
import { type BlockGrams, inputOf } from './blockGrams.ts';

export interface OpenedSolver {
  readonly solver: UpdateSolver;
  /** What opening it took, where that was done before: 0 for the one whose asking opened it. */
  readonly seconds: number;
}

/** What a sweep asks of the solvers of one block. */
export interface LayerSolvers {
  /** @throws EspalierError as {@link openSolver} */
  get(layer: Parameter, update: WeightUpdate, pause?: Pause): Promise<OpenedSolver>;
  /** Says that an evaluation is through with the layer, whether it has updated it or not. */
  release(layer: Parameter): void;
  dispose(): void;
}

/**
 * What updates need of one block beside masks: H of its inputs and what is computed of that, once for all layers that read an input and for
 * all evaluations that share the block. Each is freed when its last user has released it.
 */
export class BlockSolvers implements LayerSolvers {
  private readonly device: Device;
  private readonly grams: BlockGrams;
  private readonly now: () => number;
  /** By input, then by the text of the update. */
  private readonly open = new Map<string, Map<string, OpenedSolver>>();
  /** Releases that are still to come, by input. */
  private readonly users = new Map<string, number>();

  /**
   * @param grams become the solvers' own
   * @param layers that are updated, once for each evaluation that updates them
   */
  constructor(device: Device, grams: BlockGrams, layers: readonly Parameter[], now: () => number) {
    this.device = device;
    this.grams = grams;
    this.now = now;
    for (const layer of layers) {
      const input = inputOf(layer);
      this.users.set(input, (this.users.get(input) ?? 0) + 1);
    }
  }

  /** @throws EspalierError as {@link openSolver} */
  async get(layer: Parameter, update: WeightUpdate, pause?: Pause): Promise<OpenedSolver> {
    const input = inputOf(layer);
    const solvers = this.open.get(input) ?? new Map<string, OpenedSolver>();
    this.open.set(input, solvers);
    const found = solvers.get(updateText(update));
    if (found) return found;
    const stopwatch = new Stopwatch(this.now);
    const solver = await stopwatch.time(async () => openSolver(this.device, await this.grams.of(layer), update, pause));
    solvers.set(updateText(update), { solver, seconds: stopwatch.seconds });
    return { solver, seconds: 0 };
  }

  /** Says that an evaluation is through with the layer, whether it has updated it or not. */
  release(layer: Parameter): void {
    const input = inputOf(layer);
    const left = this.users.get(input)! - 1;
    this.users.set(input, left);
    if (left > 0) return;
    this.close(input);
    this.grams.free(layer);
  }

  dispose(): void {
    for (const input of [...this.open.keys()]) this.close(input);
    this.grams.dispose();
  }

  private close(input: string): void {
    for (const { solver } of this.open.get(input)?.values() ?? []) solver.dispose();
    this.open.delete(input);
  }
}
