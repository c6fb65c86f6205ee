import { ModelPrograms } from '../forward/modelPrograms.ts';
import type { LoadedModel } from '../forward/loadedModels.ts';
import type { Step, StepHooks } from '../forward/step.ts';
import { OPERAND_NAMES } from '../../metric/operands.ts';
import { isRowOperand } from '../pruning/inputStatistics.ts';
import type { Device } from '../runtime/device.ts';
import type { BlockStatistics } from './blockStatistics.ts';
import { CalibrationStream } from './calibrationStream.ts';
import type { CalibratedProvenance } from './gradientsOf.ts';
import { stepper } from './stepper.ts';

/** The dense model and the calibration samples that it is asked about. */
export interface CalibrationSource {
  /** Names everything that the statistics depend on. */
  readonly key: string;
  readonly model: LoadedModel;
  readonly device: Device;
  /** Calibration samples, all of one length. */
  readonly samples: readonly Int32Array[];
  /** Those that G is taken on. */
  readonly gradientSamples: readonly Int32Array[];
  readonly provenance: CalibratedProvenance;
}

/** Bytes of hidden states that are kept from one question to the next. */
const KEPT_STREAM = 2 ** 28;

/**
 * Statistics of the dense model's linear layers, block by block as they are asked for: every statistic of a block at once, so that
 * another formula needs no more, and no block behind the last one that was asked for.
 */
export class DenseStatistics {
  private key: string | undefined;
  private device: Device | undefined;
  private blocks: BlockStatistics[] = [];
  private open: OpenStream | undefined;

  /** The statistics of block `index`. Progress is told, and cancellation looked at, after each program run. */
  async block(source: CalibrationSource, index: number, hooks: StepHooks): Promise<BlockStatistics> {
    this.turnTo(source);
    if (!this.blocks[index]) {
      // A stream that was left in the middle of a block cannot go on: its samples are in different places.
      const open = this.open ?? (await openStream(source));
      this.open = undefined;
      try {
        const step = stepper(hooks, (index + 1 - open.position) * open.stream.batches);
        while (open.position <= index) await this.pass(source, open, step);
      } catch (error) {
        await closeStream(open);
        throw error;
      }
      if (streamBytes(source) <= KEPT_STREAM) this.open = open;
      else await closeStream(open);
    }
    return this.blocks[index]!;
  }

  dispose(): void {
    if (this.open) void closeStream(this.open);
    this.open = undefined;
    this.blocks = [];
    this.key = undefined;
  }

  private turnTo({ key, device }: CalibrationSource): void {
    if (this.key === key && this.device === device) return;
    this.dispose();
    this.key = key;
    this.device = device;
  }

  /** Carries the samples through the next block, and looks at them where that was not done before. */
  private async pass({ model: { weights } }: CalibrationSource, open: OpenStream, step: Step): Promise<void> {
    const { position, stream } = open;
    const layout = weights.layouts[position]!;
    const detail = `calibrating, block ${position + 1} of ${weights.layouts.length}`;
    const block = await weights.block(position);
    try {
      if (this.blocks[position]) await stream.advance(layout, block, step, detail);
      else this.blocks[position] = await stream.observe(layout, block, true, step, detail);
    } finally {
      weights.done(block);
    }
    open.position++;
  }
}

/** The samples before block `position`. */
interface OpenStream {
  readonly programs: ModelPrograms;
  readonly stream: CalibrationStream;
  position: number;
}

async function openStream({ model: { checkpoint }, device, samples }: CalibrationSource): Promise<OpenStream> {
  const programs = await ModelPrograms.create(checkpoint.config, device, samples[0]!.length);
  const operands = OPERAND_NAMES.filter(isRowOperand);
  const stream = await CalibrationStream.open(
    { checkpoint, device, calibrationPrograms: programs, calibration: samples },
    operands,
  );
  return { programs, stream, position: 0 };
}

/** At once, as these streams are held in memory. */
async function closeStream({ programs, stream }: OpenStream): Promise<void> {
  programs.dispose();
  await stream.dispose();
}

function streamBytes({ model, samples }: CalibrationSource): number {
  return 4 * model.checkpoint.config.hidden * samples.reduce((tokens, { length }) => tokens + length, 0);
}
