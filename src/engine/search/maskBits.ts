/** Most bytes of masks that a session keeps: some hundred of a small model's, and none where one layer is larger. */
const KEPT_BYTES = 64 * 2 ** 20;

/** How many bits of two masks of the same layers differ. */
export function differingBits(a: Uint8Array, b: Uint8Array): number {
  let count = 0;
  for (let i = 0; i < a.length; i++) {
    for (let rest = a[i]! ^ b[i]!; rest !== 0; rest &= rest - 1) count++;
  }
  return count;
}

/** The masks that were made last, as many as there is room for: those of the parents of what is tuned are asked for again and again. */
export class MaskCache {
  private readonly masks = new Map<string, Uint8Array>();
  private readonly limit: number;
  private bytes = 0;

  /** @param limit in bytes */
  constructor(limit = KEPT_BYTES) {
    this.limit = limit;
  }

  get(key: string): Uint8Array | undefined {
    const mask = this.masks.get(key);
    if (mask === undefined) return undefined;
    this.masks.delete(key);
    this.masks.set(key, mask);
    return mask;
  }

  set(key: string, mask: Uint8Array): void {
    if (mask.length > this.limit || this.masks.has(key)) return;
    this.masks.set(key, mask);
    this.bytes += mask.length;
    for (const [oldest, { length }] of this.masks) {
      if (this.bytes <= this.limit) return;
      this.masks.delete(oldest);
      this.bytes -= length;
    }
  }
}
