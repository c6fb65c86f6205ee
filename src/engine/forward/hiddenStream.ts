import type { BlockLayout } from '../families/family.ts';
import type { Device } from '../runtime/device.ts';
import { DeviceTensor } from '../runtime/deviceTensor.ts';
import { freeBuffer } from '../runtime/freeBuffer.ts';
import type { Weights } from './blockWeights.ts';
import type { HiddenBatch } from './hiddenBatch.ts';
import type { MaskInputs } from './maskInputs.ts';
import type { ModelPrograms } from './modelPrograms.ts';
import type { Step } from './step.ts';

export interface AdvanceOptions {
  /** What is left of the block. */
  readonly mask?: MaskInputs | undefined;
  /** Whether it is the last one: of states of which only some rows are wanted there ({@link Places.narrowed}) these alone are left. */
  readonly last?: boolean;
}

/**
 * The hidden states of a set of sequences between two blocks, in memory. A stream moves on one block at a time, so that only one block's
 * weights are needed at once.
 */
export class HiddenStream {
  readonly batches: readonly HiddenBatch[];
  private readonly device: Device;
  private readonly programs: ModelPrograms;
  /** On the CPU an output goes to the buffer that the batch before it has left. */
  private readonly spares = new Map<number, DeviceTensor>();

  constructor(device: Device, programs: ModelPrograms, batches: readonly HiddenBatch[]) {
    this.device = device;
    this.programs = programs;
    this.batches = batches;
  }

  get steps(): number {
    return this.batches.length;
  }

  each(use: (part: HiddenStream) => Promise<void>): Promise<void> {
    return use(this);
  }

  /** Another stream that begins with the same states. */
  async copy(): Promise<HiddenStream> {
    const batches: HiddenBatch[] = [];
    for (const batch of this.batches) batches.push({ ...batch, x: await this.device.copy(batch.x) });
    return new HiddenStream(this.device, this.programs, batches);
  }

  async advance(
    layout: BlockLayout,
    block: Weights,
    step: Step,
    detail: string,
    { mask, last = false }: AdvanceOptions = {},
  ): Promise<void> {
    const weights = { ...this.programs.inputs(layout, block), ...mask?.inputs };
    for (const batch of this.batches) {
      const attending = batch.places ? 'masked' : 'causal';
      const wanted = last ? batch.places?.narrowed : undefined;
      const options = { masking: mask?.masking, attending, narrowed: wanted?.length } as const;
      const program = await this.programs.block(layout, batch.batch, options);
      const places = batch.places && (await this.programs.placed(layout, batch.places));
      const narrowed = wanted && { narrowed: DeviceTensor.fromHost(wanted, [wanted.length, 1]) };
      const spare = wanted ? undefined : this.spare(batch);
      const inputs = { ...weights, ...places, ...narrowed, x: batch.x };
      const { y } = await program.run(inputs, spare ? { y: spare } : {});
      for (const tensor of Object.values(places ?? {})) tensor.dispose();
      if (wanted) narrow(batch, y!);
      else this.replace(batch, y!);
      await step(detail);
    }
  }

  /** Puts the block's output in the place of its input. */
  replace(batch: HiddenBatch, y: DeviceTensor): void {
    if (this.device.resident) batch.x.dispose();
    else this.spares.set(batch.batch, batch.x);
    batch.x = y;
  }

  /** A tensor of the batch's shape that an output may be written to, on the CPU. */
  spare({ batch, x }: HiddenBatch): DeviceTensor | undefined {
    return this.device.resident ? undefined : (this.spares.get(batch) ?? DeviceTensor.empty(x.shape));
  }

  dispose(): void {
    for (const batch of this.batches) batch.x.dispose();
    this.spares.clear();
  }
}

/** No batch after it takes a buffer of that size: it is freed at once, on the device or in memory. */
function narrow(batch: HiddenBatch, y: DeviceTensor): void {
  if (!batch.x.resident) freeBuffer(batch.x.floats());
  batch.x.dispose();
  batch.x = y;
}
