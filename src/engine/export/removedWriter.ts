import type { Layout } from '../../experiment/exportFormats.ts';
import type { Checkpoint } from '../checkpoint/checkpoint.ts';
import { type ElementType, isFloatType } from '../checkpoint/elementTypes.ts';
import type { RemovedComponents } from '../evaluation/removal.ts';
import type { StepHooks } from '../forward/step.ts';
import { allParameters, familyOf } from '../families/families.ts';
import { type Parameter, storedShape } from '../families/family.ts';
import { refitsOf } from '../structure/refits.ts';
import { CheckpointWriter } from './checkpointWriter.ts';
import { copyTensor, takeInputs, writeValues } from './copyTensor.ts';
import type { PrunedForm } from './maskedWriter.ts';
import { type PrunedConfig, prunedConfig } from './prunedConfig.ts';
import { structuralSources, type TensorSource } from './tensorSources.ts';
import { type WrittenConfig, writingStep } from './writtenConfig.ts';

/**
 * The matrices that are left of a model that whole components were removed from. Output projections that were refitted come from the evaluation, one
 * by one; everything else is copied bit by bit.
 */
export class RemovedWriter {
  /** Types narrower than float32 that refitted weights were rounded to. */
  readonly roundedTo = new Set<'BF16' | 'F16'>();
  private readonly dense: Checkpoint;
  private readonly pruned: PrunedConfig;
  private readonly parameters: readonly Parameter[];
  private readonly sources: ReadonlyMap<string, TensorSource>;
  /** Types of refitted layers, by their names in the dense checkpoint. */
  private readonly refitted: ReadonlyMap<string, ElementType>;
  private readonly done = new Set<string>();
  private readonly writer: CheckpointWriter;

  /**
   * @param values config.json of the dense model
   * @param form of what was refitted: `masked` where nothing is
   */
  constructor(
    dense: Checkpoint,
    values: WrittenConfig['values'],
    { mask, fills }: RemovedComponents,
    folder: string,
    form: PrunedForm = 'masked',
    layout: Layout = 'plain',
  ) {
    this.dense = dense;
    this.pruned = prunedConfig(values, dense.config, mask, fills !== undefined, layout);
    this.parameters = allParameters(this.pruned.config);
    this.sources = structuralSources(dense, this.pruned, mask, fills);
    const family = familyOf(dense.config);
    const refits = form === 'masked' ? [] : mask.flatMap((block, i) => refitsOf(family.block(dense.config, i), block));
    const stored = (tensor: string): ElementType => dense.tensors.get(tensor)!.dtype;
    this.refitted = new Map(
      refits.map(({ layer: { tensor } }) => [tensor, form === 'float32' ? 'F32' : stored(tensor)]),
    );
    const typeOf = (source: TensorSource): ElementType =>
      source.kind === 'values'
        ? 'F32'
        : (this.refitted.get(source.parameter.tensor) ?? stored(source.parameter.tensor));
    this.writer = new CheckpointWriter(
      folder,
      new Map(
        this.parameters.map((parameter) => [
          parameter.tensor,
          { dtype: typeOf(this.sources.get(parameter.tensor)!), shape: storedShape(parameter) },
        ]),
      ),
    );
  }

  /**
   * @param tensor of the dense checkpoint
   * @param weight refitted [out, in], the columns that go among them
   * @throws EspalierError `export/mismatch` where the checkpoint's type has no room for a weight
   */
  write(tensor: string, weight: Float32Array): void {
    const dtype = this.refitted.get(tensor)!;
    if (!isFloatType(dtype)) throw new RangeError(`a weight that is stored as ${dtype}`);
    const parameter = this.parameters.find((each) => this.denseName(each) === tensor)!;
    const source = this.sources.get(parameter.tensor)!;
    const kept = source.kind === 'stored' ? takeInputs(weight, source.columns!) : weight;
    writeValues(parameter, kept, dtype, this.writer);
    if (dtype === 'BF16' || dtype === 'F16') this.roundedTo.add(dtype);
    this.done.add(parameter.tensor);
  }

  /** Copies what was not refitted. */
  async finish(hooks: StepHooks): Promise<WrittenConfig> {
    const rest = this.parameters.filter(({ tensor }) => !this.done.has(tensor));
    for (const [index, parameter] of rest.entries()) {
      const { tensor } = parameter;
      const step = writingStep(hooks, index, rest.length);
      const source = this.sources.get(tensor)!;
      if (this.refitted.has(this.denseName(parameter) ?? '')) throw new RangeError(`${tensor} was not refitted`);
      if (source.kind === 'stored') await copyTensor(this.dense, source, this.writer, tensor, step);
      else this.writer.write(tensor, 0, new Uint8Array(source.values.buffer));
    }
    await this.writer.finish();
    return this.pruned;
  }

  abandon(): void {
    this.writer.abandon();
  }

  private denseName({ tensor }: Parameter): string | undefined {
    const source = this.sources.get(tensor)!;
    return source.kind === 'stored' ? source.parameter.tensor : undefined;
  }
}
