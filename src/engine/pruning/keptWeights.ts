import { sizeOf } from '../graph/shape.ts';
import type { DeviceTensor } from '../runtime/deviceTensor.ts';

/** A weight that an update has made. */
export interface KeptWeight {
  readonly weight: DeviceTensor;
  /** How many of its elements are zero. */
  readonly zeros: number;
}

/**
 * What an update has made of layers, the last that were asked for, as many as have room: candidates of a search for rates share levels of blocks.
 * A weight stays valid until {@link trim}, whatever else is taken in.
 */
export class KeptWeights {
  private readonly found = new Map<string, KeptWeight>();
  private readonly tensors = new Set<DeviceTensor>();
  private readonly limit: number;
  private held = 0;

  /** @param limit in bytes */
  constructor(limit: number) {
    this.limit = limit;
  }

  /** What all of it takes. */
  get bytes(): number {
    return this.held;
  }

  get(key: string): KeptWeight | undefined {
    const kept = this.found.get(key);
    if (kept === undefined) return undefined;
    this.found.delete(key);
    this.found.set(key, kept);
    return kept;
  }

  /** Takes it over. */
  set(key: string, kept: KeptWeight): void {
    this.found.set(key, kept);
    this.tensors.add(kept.weight);
    this.held += bytesOf(kept);
  }

  /** Whether it is for {@link trim} to dispose of. */
  has(weight: DeviceTensor): boolean {
    return this.tensors.has(weight);
  }

  /** Gives up what was asked for longest ago, until the rest has room. */
  trim(): void {
    for (const [key, kept] of this.found) {
      if (this.held <= this.limit) return;
      this.found.delete(key);
      this.tensors.delete(kept.weight);
      this.held -= bytesOf(kept);
      kept.weight.dispose();
    }
  }

  dispose(): void {
    for (const { weight } of this.found.values()) weight.dispose();
    this.found.clear();
    this.tensors.clear();
    this.held = 0;
  }
}

function bytesOf({ weight: { shape, type } }: KeptWeight): number {
  return (type === 'float16' ? 2 : 4) * sizeOf(shape);
}
