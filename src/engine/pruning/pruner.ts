import { EspalierError } from '../../base/errors.ts';
import type { EvaluationSettings } from '../../experiment/settings.ts';
import { printSparsity } from '../../experiment/sparsity.ts';
import type { Sparsity } from '../../experiment/sparsitySchema.ts';
import type { Expression } from '../../metric/expression.ts';
import { operandsOf } from '../../metric/measure.ts';
import { printPrefix } from '../../metric/print.ts';
import { sizeOf } from '../graph/shape.ts';
import type { Parameter } from '../families/family.ts';
import type { Device, Program } from '../runtime/device.ts';
import { DeviceTensor } from '../runtime/deviceTensor.ts';
import { ReusedArrays } from '../runtime/reusedArrays.ts';
import { type InputStatistics, isRowOperand, type RowOperand } from './inputStatistics.ts';
import { buildPruneGraph, comparisonGroups } from './pruneGraph.ts';
import { requireValidScore } from './scoreCheck.ts';

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

/** A metric applied at one sparsity, layer by layer, with the counts of what it removed. */
export class Pruner {
  /** Operands that are rows: the statistics they need have to be collected first. */
  readonly rows: readonly RowOperand[];
  /** Whether the metric names G: then the gradients have to be there. */
  readonly usesGradient: boolean;
  /** Of each block visited so far: its prunable weights, and how many of them are zero now. */
  readonly blocks: { weights: number; zeros: number }[] = [];
  /** Experts that were left as they are, by their layers' common name in the checkpoint: no calibration token went through them. */
  readonly unseen = new Set<string>();
  readonly metric: string;
  private readonly device: Device;
  private readonly expression: Expression;
  private readonly sparsity: Sparsity;
  private readonly group: EvaluationSettings['group'];
  /** On the CPU the pruned weights of every block go to the same arrays. */
  private readonly arrays = new ReusedArrays();
  private readonly onPruned: ((layer: PrunedLayer) => void) | undefined;
  private readonly rates: readonly number[] | undefined;

  /** @param rates share of each block's weights that goes, where not `sparsity` of all */
  constructor(
    device: Device,
    metric: string,
    expression: Expression,
    sparsity: Sparsity,
    group: EvaluationSettings['group'],
    onPruned?: (layer: PrunedLayer) => void,
    rates?: readonly number[],
  ) {
    this.device = device;
    this.metric = metric;
    this.expression = expression;
    this.sparsity = sparsity;
    this.group = group;
    this.onPruned = onPruned;
    this.rates = rates;
    this.rows = operandsOf(expression).filter(isRowOperand);
    this.usesGradient = operandsOf(expression).includes('G');
  }

  /**
   * The pruned weight of one linear layer, valid until the next block is pruned on the CPU, until disposed elsewhere. Undefined for a layer
   * that cannot be ranked, since the metric asks for inputs or gradients and no calibration token went through its expert: it stays as it is,
   * and counts among the weights that do.
   *
   * @param block index of the layer's block
   * @param weight [out, in], as the checkpoint has it
   * @param statistics of the layer's input; needed where {@link rows} is not empty
   * @param gradient the operand G [out, in], float32; needed where {@link usesGradient} holds
   * @throws EspalierError `metric/invalid-score` where the score has values that are not finite, or is constant
   */
  async prune(
    block: number,
    layer: Parameter,
    weight: DeviceTensor,
    statistics: InputStatistics | undefined,
    gradient: DeviceTensor | undefined,
  ): Promise<DeviceTensor | undefined> {
    const [out, columns] = layer.shape as [number, number];
    this.requireDivisible(layer, columns);
    const counts = (this.blocks[block] ??= { weights: 0, zeros: 0 });
    counts.weights += out * columns;
    if (await this.isUnseen(layer, statistics, gradient)) {
      this.unseen.add(layer.tensor.replace(/\.[^.]+\.weight$/, ''));
      for (const value of await this.device.download(weight)) if (value === 0) counts.zeros++;
      return undefined;
    }
    const program = await this.program([out, columns], this.sparsityOf(block));
    const inputs: Record<string, DeviceTensor> = { weight, ...(this.usesGradient && { G: gradient! }) };
    const rows: Partial<Record<RowOperand, Float32Array>> = {};
    for (const row of this.rows) {
      rows[row] = statistics!.row(row);
      inputs[row] = DeviceTensor.fromHost(rows[row], [1, columns]);
    }
    const outputs = await program.run(inputs, this.device.resident ? {} : { pruned: this.spare(layer) });
    const pruned = outputs['pruned']!;
    requireValidScore(outputs, layer, this.metric);
    counts.zeros += sum(outputs['zeros']!.floats());
    await this.report(layer, pruned, rows, inputs['G']);
    return pruned;
  }

  /** Share of the weights that are zero. */
  get actualSparsity(): number {
    const total = (of: 'weights' | 'zeros'): number => this.blocks.reduce((sum, block) => sum + block[of], 0);
    return total('weights') > 0 ? total('zeros') / total('weights') : 0;
  }

  /** An expert that no token went through has no inputs, and no gradient but zeros. */
  private async isUnseen(
    { expert }: Parameter,
    statistics: InputStatistics | undefined,
    gradient: DeviceTensor | undefined,
  ): Promise<boolean> {
    if (expert === undefined) return false;
    if (this.rows.length > 0 && statistics!.tokens === 0) return true;
    return this.usesGradient && (await this.device.download(gradient!)).every((value) => value === 0);
  }

  private async report(
    { tensor, shape }: Parameter,
    pruned: DeviceTensor,
    rows: PrunedLayer['rows'],
    gradient: DeviceTensor | undefined,
  ): Promise<void> {
    if (!this.onPruned) return;
    const weight = await this.device.download(pruned);
    this.onPruned({ tensor, shape, weight, rows, ...(gradient && { gradient: await this.device.download(gradient) }) });
  }

  private spare({ name, shape }: Parameter): DeviceTensor {
    return DeviceTensor.fromHost(this.arrays.take(name, sizeOf(shape)), shape);
  }

  private sparsityOf(block: number): Sparsity {
    return this.rates ? { kind: 'unstructured', share: this.rates[block]! } : this.sparsity;
  }

  private program(shape: readonly [number, number], sparsity: Sparsity): Promise<Program> {
    const { expression, group } = this;
    const { weightType } = this.device;
    // Rates that come to the same count have one program; those that are spelled alike and do not have two.
    const { size, remove } = comparisonGroups(shape, sparsity, group);
    const key = `prune ${printPrefix(expression)} ${remove} of ${size} ${shape.join('×')}`;
    const build = (): ReturnType<typeof buildPruneGraph> =>
      buildPruneGraph({ expression, shape, sparsity, group, weightType });
    return this.device.program(key, build, (name) => name !== 'pruned');
  }

  private requireDivisible(layer: Parameter, columns: number): void {
    if (this.sparsity.kind === 'unstructured' || columns % this.sparsity.of === 0) return;
    throw new EspalierError({
      code: 'settings/invalid',
      operation: `pruning ${layer.tensor} at ${printSparsity(this.sparsity)}`,
      expected: `a number of input columns that ${this.sparsity.of} divides`,
      actual: `${columns} columns`,
      remedy: 'Choose another N:M, or a percentage.',
    });
  }
}

function sum(values: Float32Array): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}
