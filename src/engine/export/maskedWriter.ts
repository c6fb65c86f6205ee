import type { Checkpoint } from '../checkpoint/checkpoint.ts';
import { type ElementType, isFloatType } from '../checkpoint/elementTypes.ts';
import { readParameter } from '../checkpoint/readParameter.ts';
import type { StepHooks } from '../forward/step.ts';
import { allParameters } from '../families/families.ts';
import { type Parameter, storedShape } from '../families/family.ts';
import { CheckpointWriter } from './checkpointWriter.ts';
import { copyMasked, copyTensor, writeValues } from './copyTensor.ts';
import { type WrittenConfig, writingStep } from './writtenConfig.ts';

/**
 * What the layers that an evaluation hands over become. `masked`: the stored weights, bit by bit, with zeros in place. Of updated weights
 * `rounded`: to the type that each is stored in; `float32`: as they were computed, and so all linear layers.
 */
export type PrunedForm = 'masked' | 'rounded' | 'float32';

/** The dense checkpoint once more, with the layers that the evaluation hands over in the place of its own. */
export class MaskedWriter {
  /** Types narrower than float32 that updated weights were rounded to. */
  readonly roundedTo = new Set<'BF16' | 'F16'>();
  private readonly dense: Checkpoint;
  private readonly folder: string;
  private readonly form: PrunedForm;
  private readonly parameters: ReadonlyMap<string, Parameter>;
  private readonly done = new Set<string>();
  private writer: CheckpointWriter | undefined;

  constructor(dense: Checkpoint, folder: string, form: PrunedForm = 'masked') {
    this.dense = dense;
    this.folder = folder;
    this.form = form;
    this.parameters = new Map(allParameters(dense.config).map((parameter) => [parameter.tensor, parameter]));
  }

  /**
   * @param weight of the linear layer with that tensor, [out, in]
   * @throws EspalierError `export/mismatch` where the checkpoint's type has no room for an updated weight
   */
  write(tensor: string, weight: Float32Array): void {
    const parameter = this.parameters.get(tensor)!;
    const writer = this.open();
    if (this.form === 'masked') copyMasked(this.dense, parameter, weight, writer);
    else this.writeValues(parameter, weight, writer);
    this.done.add(tensor);
  }

  /** Copies what was not pruned. */
  async finish(values: WrittenConfig['values'], hooks: StepHooks): Promise<WrittenConfig> {
    const writer = this.open();
    const rest = [...this.parameters.values()].filter(({ tensor }) => !this.done.has(tensor));
    for (const [index, parameter] of rest.entries()) {
      const step = writingStep(hooks, index, rest.length);
      if (this.typeOf(parameter) === this.storedAs(parameter)) {
        await copyTensor(this.dense, { kind: 'stored', parameter }, writer, parameter.tensor, step);
      } else {
        this.writeValues(parameter, readParameter(this.dense, parameter), writer);
        await step();
      }
    }
    await writer.finish();
    return { values, config: this.dense.config };
  }

  abandon(): void {
    this.writer?.abandon();
  }

  private open(): CheckpointWriter {
    this.writer ??= new CheckpointWriter(
      this.folder,
      new Map(
        [...this.parameters.values()].map((parameter) => [
          parameter.tensor,
          { dtype: this.typeOf(parameter), shape: storedShape(parameter) },
        ]),
      ),
    );
    return this.writer;
  }

  private writeValues(parameter: Parameter, values: Float32Array, writer: CheckpointWriter): void {
    const dtype = this.typeOf(parameter);
    if (!isFloatType(dtype)) throw new RangeError(`a weight that is stored as ${dtype}`);
    writeValues(parameter, values, dtype, writer);
    if (dtype === 'BF16' || dtype === 'F16') this.roundedTo.add(dtype);
  }

  private typeOf(parameter: Parameter): ElementType {
    return this.form === 'float32' && parameter.linear ? 'F32' : this.storedAs(parameter);
  }

  private storedAs({ tensor }: Parameter): ElementType {
    return this.dense.tensors.get(tensor)!.dtype;
  }
}
