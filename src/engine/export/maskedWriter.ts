import type { Checkpoint } from '../checkpoint/checkpoint.ts';
import type { StepHooks } from '../forward/step.ts';
import { allParameters } from '../families/families.ts';
import type { Parameter } from '../families/family.ts';
import { CheckpointWriter } from './checkpointWriter.ts';
import { copyMasked, copyTensor } from './copyTensor.ts';
import { type WrittenConfig, writingStep } from './writtenConfig.ts';

/** The dense checkpoint once more, with zeros in the layers that the evaluation hands over. */
export class MaskedWriter {
  private readonly dense: Checkpoint;
  private readonly folder: string;
  private readonly parameters: ReadonlyMap<string, Parameter>;
  private readonly done = new Set<string>();
  private writer: CheckpointWriter | undefined;

  constructor(dense: Checkpoint, folder: string) {
    this.dense = dense;
    this.folder = folder;
    this.parameters = new Map(allParameters(dense.config).map((parameter) => [parameter.tensor, parameter]));
  }

  /** @param weight of the linear layer with that tensor, [out, in] */
  write(tensor: string, weight: Float32Array): void {
    copyMasked(this.dense, this.parameters.get(tensor)!, weight, this.open());
    this.done.add(tensor);
  }

  /** Copies what was not pruned. */
  async finish(values: WrittenConfig['values'], hooks: StepHooks): Promise<WrittenConfig> {
    const writer = this.open();
    const rest = [...this.parameters.values()].filter(({ tensor }) => !this.done.has(tensor));
    for (const [index, parameter] of rest.entries()) {
      const step = writingStep(hooks, index, rest.length);
      await copyTensor(this.dense, { kind: 'stored', parameter }, writer, parameter.tensor, step);
    }
    await writer.finish();
    return { values, config: this.dense.config };
  }

  abandon(): void {
    this.writer?.abandon();
  }

  private open(): CheckpointWriter {
    const form = (tensor: string) => this.dense.tensors.get(tensor)!;
    this.writer ??= new CheckpointWriter(
      this.folder,
      new Map([...this.parameters.keys()].map((tensor) => [tensor, form(tensor)])),
    );
    return this.writer;
  }
}
