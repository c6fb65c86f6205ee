import { EspalierError } from '../../base/errors.ts';
import type { EvaluationSettings } from '../../experiment/settings.ts';
import { printSparsity } from '../../experiment/sparsity.ts';
import type { WeightSparsity } from '../../experiment/sparsitySchema.ts';
import type { WeightUpdate } from '../../experiment/updates.ts';
import type { Expression } from '../../metric/expression.ts';
import { operandsOf } from '../../metric/measure.ts';
import { type BlockLayout, layerType, type Parameter } from '../families/family.ts';
import type { Pause } from '../runtime/pause.ts';
import type { Device } from '../runtime/device.ts';
import { DeviceTensor } from '../runtime/deviceTensor.ts';
import { ReusedArrays } from '../runtime/reusedArrays.ts';
import { type InputStatistics, isRowOperand, type RowOperand } from './inputStatistics.ts';
import { comparisonGroups } from './comparisonGroups.ts';
import { countZeros } from './countZeros.ts';
import { DevicePruner } from './devicePruner.ts';
import { HostPruner } from './hostPruner.ts';
import type { KeptWeight, KeptWeights } from './keptWeights.ts';

/** A linear layer just after it was pruned: for exporting and for looking inside. */
export interface PrunedLayer {
  /** Name in the checkpoint. */
  readonly tensor: string;
  readonly shape: readonly number[];
  /** The pruned weight, row-major. The array is reused after the call: copy what you keep. */
  readonly weight: Float32Array;
  /** Values [in] of the operands that are rows, as far as the metric uses them. */
  readonly rows: Readonly<Partial<Record<RowOperand, Float32Array>>>;
  /** The operand G [out, in], where the metric uses it. */
  readonly gradient?: Float32Array;
}

/** Changes the weights of one layer that stay, by what is known of its input. */
export interface LayerUpdater {
  /** What was added to H's diagonal, as a share of its mean: more than was asked for where H could not be inverted otherwise. */
  readonly damping: number;
  /** @param pruned [out, in]: the mask is where it is zero. Both stay the caller's */
  update(weight: DeviceTensor, pruned: DeviceTensor, pause?: Pause): Promise<DeviceTensor>;
  /** Chooses a mask of its own, where the update can. */
  prune?(weight: DeviceTensor, sparsity: WeightSparsity, pause?: Pause): Promise<DeviceTensor>;
}

export interface Pruning {
  /** For messages. */
  readonly metric: string;
  /** Absent: the update chooses what goes. */
  readonly expression?: Expression | undefined;
  readonly sparsity: WeightSparsity;
  readonly group: EvaluationSettings['group'];
  /** Share of each block's weights that goes, where not `sparsity` of all. */
  readonly rates?: readonly number[] | undefined;
  /** Types of layers that are pruned, where not all are; see {@link layerType}. */
  readonly layers?: readonly string[] | undefined;
  readonly update?: WeightUpdate | undefined;
  /** What the update has made before of the same metric: what is found there is not computed again, nor reported. */
  readonly updated?: KeptWeights | undefined;
  readonly onPruned?: ((layer: PrunedLayer) => void) | undefined;
}

/** A metric applied at one sparsity, layer by layer, and what an update makes of the weights that stay; with the counts of what went. */
export class Pruner {
  /** Operands that are rows: the statistics they need have to be collected first. */
  readonly rows: readonly RowOperand[];
  /** Whether the metric names G: then the gradients have to be there. */
  readonly usesGradient: boolean;
  /** Of each block visited so far: its prunable weights, and how many of them are zero now. */
  readonly blocks: { weights: number; zeros: number }[] = [];
  /** Experts that were left as they are, by their layers' common name in the checkpoint: no calibration token went through them. */
  readonly unseen = new Set<string>();
  /** Layers whose H needed more damping than was asked for, and the most that one got. */
  readonly damped = { layers: 0, damping: 0 };
  readonly metric: string;
  readonly update: WeightUpdate | undefined;
  private readonly device: Device;
  private readonly how: Pruning;
  /** On the CPU the pruned weights of every block go to the same arrays. */
  private readonly arrays = new ReusedArrays();
  private readonly onHost: HostPruner;
  private readonly onDevice: DevicePruner;

  constructor(device: Device, how: Pruning) {
    this.device = device;
    this.onHost = new HostPruner(device);
    this.onDevice = new DevicePruner(device);
    this.how = how;
    this.metric = how.metric;
    this.update = how.update;
    const operands = how.expression ? operandsOf(how.expression) : [];
    this.rows = operands.filter(isRowOperand);
    this.usesGradient = operands.includes('G');
  }

  /** Whether anything is asked to go of a block. */
  touches(block: number, { parameters }: BlockLayout): boolean {
    return parameters.some((layer) => layer.linear && this.touchesLayer(block, layer));
  }

  /** Layers of a block that are updated after weights of them went: H of their inputs has to be there. */
  updated(block: number, { parameters }: BlockLayout): readonly Parameter[] {
    return this.update ? parameters.filter((layer) => layer.linear && this.removesOf(block, layer) > 0) : [];
  }

  /**
   * The pruned weight of one linear layer, valid until the next block is pruned on the CPU, until disposed elsewhere. Undefined for a layer
   * that stays as it is, and counts among the weights that do: one of which nothing is asked to go; one that cannot be ranked, since the metric or the update asks for inputs
   * or gradients and no calibration token went through its expert; and one of which an update that chooses itself is to take nothing.
   *
   * @param block index of the layer's block
   * @param weight [out, in], as the checkpoint has it
   * @param statistics of the layer's input; needed where {@link rows} is not empty, and where it is {@link updated}
   * @param gradient the operand G [out, in], float32; needed where {@link usesGradient} holds
   * @param updater needed where the layer is {@link updated}; it is not asked for of a layer that stays as it is
   * @param pause called between parts of an update
   * @throws EspalierError `metric/invalid-score` where the score has values that are not finite, or is constant;
   *   `recovery/ill-conditioned` where updated weights are not finite, and what asking for the updater throws
   */
  async prune(
    block: number,
    layer: Parameter,
    weight: DeviceTensor,
    statistics: InputStatistics | undefined,
    gradient: DeviceTensor | undefined,
    updater?: () => Promise<LayerUpdater>,
    pause?: Pause,
  ): Promise<DeviceTensor | undefined> {
    const [out, columns] = layer.shape as [number, number];
    this.requireDivisible(layer, columns);
    const counts = (this.blocks[block] ??= { weights: 0, zeros: 0 });
    counts.weights += out * columns;
    if (!this.touchesLayer(block, layer)) {
      counts.zeros += await this.countStored(weight);
      return undefined;
    }
    const updates = this.update !== undefined && this.removesOf(block, layer) > 0;
    const key = `${block} ${layer.name} ${this.removesOf(block, layer)}`;
    const known = updates ? this.how.updated?.get(key) : undefined;
    if (known) {
      counts.zeros += known.zeros;
      return known.weight;
    }
    const unseen = await this.isUnseen(layer, statistics, gradient, updates);
    if (unseen) this.unseen.add(layer.tensor.replace(/\.[^.]+\.weight$/, ''));
    const { expression } = this.how;
    if (unseen || (!expression && !updates)) {
      counts.zeros += await this.countStored(weight);
      return undefined;
    }
    const rows: Partial<Record<RowOperand, Float32Array>> = {};
    for (const row of this.rows) rows[row] = statistics!.row(row);
    const G = this.usesGradient ? gradient! : undefined;
    const made = expression && (await this.masked(block, layer, expression, { weight, rows, G }));
    const pruned = updates ? await this.revised(block, layer, weight, made?.weight, await updater!(), pause) : made!;
    counts.zeros += pruned.zeros;
    if (updates) this.how.updated?.set(key, pruned);
    await this.report(layer, pruned.weight, rows, G);
    return pruned.weight;
  }

  /** Says that the pruned weights of a block have been used. */
  done(weights: readonly DeviceTensor[]): void {
    const { updated } = this.how;
    for (const weight of weights) if (!updated?.has(weight)) weight.dispose();
    updated?.trim();
  }

  /** Share of the weights that are zero. */
  get actualSparsity(): number {
    const total = (of: 'weights' | 'zeros'): number => this.blocks.reduce((sum, block) => sum + block[of], 0);
    return total('weights') > 0 ? total('zeros') / total('weights') : 0;
  }

  private touchesLayer(block: number, layer: Parameter): boolean {
    const { rates, layers } = this.how;
    return rates?.[block] !== 0 && (layers?.includes(layerType(layer)) ?? true);
  }

  /** Zeros of a weight as the checkpoint has it. */
  private async countStored(weight: DeviceTensor): Promise<number> {
    let zeros = 0;
    for (const value of await this.device.download(weight)) if (value === 0) zeros++;
    return zeros;
  }

  /** An expert that no token went through has no inputs, and no gradient but zeros. */
  private async isUnseen(
    { expert }: Parameter,
    statistics: InputStatistics | undefined,
    gradient: DeviceTensor | undefined,
    updates: boolean,
  ): Promise<boolean> {
    if (expert === undefined) return false;
    if ((this.rows.length > 0 || updates) && statistics!.tokens === 0) return true;
    return this.usesGradient && (await this.device.download(gradient!)).every((value) => value === 0);
  }

  /** The weight with the metric's lowest scores set to zero. */
  private async masked(block: number, layer: Parameter, expression: Expression, given: Operands): Promise<KeptWeight> {
    const [out, columns] = layer.shape as [number, number];
    const { weight, rows, G } = given;
    const operands: Record<string, DeviceTensor> & { weight: DeviceTensor } = { weight, ...(G && { G }) };
    for (const row of this.rows) operands[row] = DeviceTensor.fromHost(rows[row]!, [1, columns]);
    const groups = comparisonGroups([out, columns], this.sparsityOf(block), this.how.group);
    const ranked = { layer, expression, metric: this.metric, operands, groups };
    if (this.device.resident) return this.onDevice.prune(ranked);
    return this.onHost.prune(ranked, this.arrays.take(layer.name, out * columns));
  }

  /** What the update makes of a masked weight, or of the whole one where it chooses itself. */
  private async revised(
    block: number,
    layer: Parameter,
    weight: DeviceTensor,
    masked: DeviceTensor | undefined,
    updater: LayerUpdater,
    pause: Pause | undefined,
  ): Promise<KeptWeight> {
    if (updater.damping > this.update!.damping) {
      this.damped.layers++;
      this.damped.damping = Math.max(this.damped.damping, updater.damping);
    }
    try {
      const pruned = masked
        ? await updater.update(weight, masked, pause)
        : await updater.prune!(weight, this.sparsityOf(block), pause);
      return { weight: pruned, zeros: await countZeros(this.device, layer, pruned, this.metric) };
    } finally {
      masked?.dispose();
    }
  }

  private async report(
    { tensor, shape }: Parameter,
    pruned: DeviceTensor,
    rows: PrunedLayer['rows'],
    gradient: DeviceTensor | undefined,
  ): Promise<void> {
    const { onPruned } = this.how;
    if (!onPruned) return;
    const weight = await this.device.download(pruned);
    onPruned({ tensor, shape, weight, rows, ...(gradient && { gradient: await this.device.download(gradient) }) });
  }

  private sparsityOf(block: number): WeightSparsity {
    const { rates, sparsity } = this.how;
    return rates ? { kind: 'unstructured', share: rates[block]! } : sparsity;
  }

  /** Weights of a layer that go, of each group of those that are compared. */
  private removesOf(block: number, layer: Parameter): number {
    if (!this.touchesLayer(block, layer)) return 0;
    const { shape } = layer;
    return comparisonGroups(shape as [number, number], this.sparsityOf(block), this.how.group).remove;
  }

  private requireDivisible(layer: Parameter, columns: number): void {
    const { sparsity } = this.how;
    if (sparsity.kind === 'unstructured' || columns % sparsity.of === 0) return;
    throw new EspalierError({
      code: 'settings/invalid',
      operation: `pruning ${layer.tensor} at ${printSparsity(sparsity)}`,
      expected: `a number of input columns that ${sparsity.of} divides`,
      actual: `${columns} columns`,
      remedy: 'Choose another N:M, or a percentage.',
    });
  }
}

interface Operands {
  readonly weight: DeviceTensor;
  readonly rows: PrunedLayer['rows'];
  readonly G: DeviceTensor | undefined;
}
