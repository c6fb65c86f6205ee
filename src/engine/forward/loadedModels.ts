import { checkTensors } from '../checkpoint/checkTensors.ts';
import { type Checkpoint, openCheckpoint } from '../checkpoint/checkpoint.ts';
import type { CheckpointIdentity } from '../checkpoint/identity.ts';
import { sizeOf } from '../graph/shape.ts';
import { allParameters, type ModelConfig } from '../families/families.ts';
import type { Device } from '../runtime/device.ts';
import { availableMemory } from '../runtime/memory.ts';
import { BlockWeights } from './blockWeights.ts';

export interface LoadedModel {
  readonly checkpoint: Checkpoint;
  /** By the content of the checkpoint's files. */
  readonly identity: CheckpointIdentity;
  readonly weights: BlockWeights;
}

/** Share of the available memory that a model's weights may take to be kept between evaluations. */
const RESIDENT_SHARE = 0.4;

/** Whether a model's weights have room to stay in memory. */
export function fitsInMemory(config: ModelConfig): boolean {
  const bytes = allParameters(config).reduce((total, { shape }) => total + 4 * sizeOf(shape), 0);
  return bytes < RESIDENT_SHARE * availableMemory();
}

/** The model of this process: its weights stay loaded from one evaluation to the next, until another model or device is asked for. */
export class LoadedModels {
  private readonly cacheFolder: string | undefined;
  private current: { readonly key: string; readonly device: Device; readonly model: LoadedModel } | undefined;

  constructor(options: { readonly cacheFolder?: string | undefined }) {
    this.cacheFolder = options.cacheFolder;
  }

  /**
   * Opens the checkpoint anew each time, and keeps the weights when its files are still the same.
   *
   * @throws EspalierError `checkpoint/…`
   */
  async load(folder: string, device: Device, signal: AbortSignal | undefined): Promise<LoadedModel> {
    const checkpoint = await openCheckpoint(folder, { cacheFolder: this.cacheFolder });
    const parameters = allParameters(checkpoint.config);
    let identity: CheckpointIdentity;
    try {
      checkTensors(checkpoint, parameters);
      identity = await checkpoint.identity(signal);
    } catch (error) {
      checkpoint.close();
      throw error;
    }
    // Files with the same bytes in the place of others are read anew: the open ones are no longer what their headers say.
    const key = [checkpoint.folder, identity.hash, identity.tokenizer, checkpoint.version].join(' ');
    if (this.current?.key === key && this.current.device === device) {
      checkpoint.close();
      return this.current.model;
    }
    await this.releasePrograms(checkpoint);
    this.dispose();
    const weights = new BlockWeights(checkpoint, device, fitsInMemory(checkpoint.config) && 'again');
    const model = { checkpoint, identity, weights };
    this.current = { key, device, model };
    return model;
  }

  /** Programs of another shape will not be run again: who evaluates many models, each of its own sizes, would gather those of all. */
  private async releasePrograms(next: Checkpoint): Promise<void> {
    if (!this.current) return;
    const { device, model } = this.current;
    const shape = JSON.stringify(model.checkpoint.config);
    if (shape !== JSON.stringify(next.config)) await device.release((key) => !key.includes(shape));
  }

  /** Whether these weights are still those that are loaded. */
  holds(weights: BlockWeights): boolean {
    return this.current?.model.weights === weights;
  }

  dispose(): void {
    this.current?.model.weights.dispose();
    this.current?.model.checkpoint.close();
    this.current = undefined;
  }
}
