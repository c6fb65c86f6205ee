import { checkTensors } from '../checkpoint/checkTensors.ts';
import { type Checkpoint, openCheckpoint } from '../checkpoint/checkpoint.ts';
import type { SmallFiles } from '../checkpoint/identity.ts';
import { sizeOf } from '../graph/shape.ts';
import { allParameters, type ModelConfig } from '../families/families.ts';
import type { Device } from '../runtime/device.ts';
import { availableMemory } from '../runtime/memory.ts';
import { BlockWeights } from './blockWeights.ts';

export interface LoadedModel {
  readonly checkpoint: Checkpoint;
  /** {@link CheckpointIdentity.tokenizer} */
  readonly tokenizer: string;
  /**
   * sha-256, hex, by the content of the checkpoint's files, which are read for it once: of large ones that takes long, and a number needs it
   * when it is told, not before.
   *
   * @throws EspalierError `checkpoint/safetensors` where weights were changed since the model was loaded, `io/read`, `cancelled`
   */
  readonly hash: (signal?: AbortSignal) => Promise<string>;
  readonly weights: BlockWeights;
}

/** Share of the available memory that a model's weights may take to be kept between evaluations. */
const RESIDENT_SHARE = 0.4;

/** Whether a model's weights have room to stay in memory. */
export function fitsInMemory(config: ModelConfig): boolean {
  const bytes = allParameters(config).reduce((total, { shape }) => total + 4 * sizeOf(shape), 0);
  return bytes < RESIDENT_SHARE * availableMemory();
}

/** The same answer for all who ask; a failed question is asked again. */
function once<Result>(ask: (signal?: AbortSignal) => Promise<Result>): (signal?: AbortSignal) => Promise<Result> {
  let answer: Promise<Result> | undefined;
  return (signal) => {
    const asked = (answer ??= ask(signal));
    asked.catch(() => {
      if (answer === asked) answer = undefined;
    });
    return asked;
  };
}

interface Loaded {
  readonly key: string;
  readonly device: Device;
  readonly model: LoadedModel;
  /** Of what goes on behind it. */
  readonly closing: AbortController;
}

/** The model of this process: its weights stay loaded from one evaluation to the next, until another model or device is asked for. */
export class LoadedModels {
  private readonly cacheFolder: string | undefined;
  private current: Loaded | undefined;

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
    const closing = new AbortController();
    const hash = once(async (stop?: AbortSignal) => {
      const either = stop ? AbortSignal.any([stop, closing.signal]) : closing.signal;
      return (await checkpoint.identity(either)).hash;
    });
    let small: SmallFiles;
    let fresh: string;
    try {
      checkTensors(checkpoint, parameters);
      small = await checkpoint.smallFiles(signal);
      // Of what was written just now a version does not tell whether it is still the same.
      fresh = checkpoint.isSettled ? '' : await hash(signal);
    } catch (error) {
      checkpoint.close();
      throw error;
    }
    const { tokenizer } = small;
    // Files with the same bytes in the place of others are read anew: the open ones are no longer what their headers say.
    const key = [checkpoint.folder, ...[...small.hashes].flat(), tokenizer, checkpoint.version, fresh].join(' ');
    if (this.current?.key === key && this.current.device === device) {
      checkpoint.close();
      return this.current.model;
    }
    await this.releasePrograms(checkpoint);
    this.dispose();
    const weights = new BlockWeights(checkpoint, device, fitsInMemory(checkpoint.config) && 'again');
    const model = { checkpoint, tokenizer, hash, weights };
    this.current = { key, device, model, closing };
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
    this.current?.closing.abort();
    this.current = undefined;
  }
}
