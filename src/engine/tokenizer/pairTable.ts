/**
 * A map from pairs of numbers (each from 0 to 2³¹ − 1) to a number, in three flat arrays: a merge table has 100 000 pairs and a
 * trie 700 000, and a `Map` of such keys takes ten times the memory and twice the time.
 */
export class PairTable {
  private keys = new Int32Array(32).fill(-1);
  private values = new Int32Array(16);
  private used = 0;

  /** The value of a pair, or −1. */
  get(left: number, right: number): number {
    return this.values[this.slotOf(left, right)]! - 1;
  }

  /** @param value from 0 to 2³¹ − 2 */
  set(left: number, right: number, value: number): void {
    if (2 * this.used >= this.values.length) this.grow();
    const slot = this.slotOf(left, right);
    if (this.keys[2 * slot] === -1) this.used++;
    this.keys[2 * slot] = left;
    this.keys[2 * slot + 1] = right;
    this.values[slot] = value + 1;
  }

  /** Where the pair is, or else the free place where it belongs. */
  private slotOf(left: number, right: number): number {
    const { keys } = this;
    const mask = this.values.length - 1;
    let hash = Math.imul(left, 0x9e3779b1) ^ Math.imul(right, 0x85ebca6b);
    hash ^= hash >>> 15;
    let slot = hash & mask;
    while (keys[2 * slot] !== -1 && (keys[2 * slot] !== left || keys[2 * slot + 1] !== right)) slot = (slot + 1) & mask;
    return slot;
  }

  private grow(): void {
    const { keys, values } = this;
    this.keys = new Int32Array(2 * keys.length).fill(-1);
    this.values = new Int32Array(2 * values.length);
    for (let slot = 0; slot < values.length; slot++) {
      if (keys[2 * slot] === -1) continue;
      const place = this.slotOf(keys[2 * slot]!, keys[2 * slot + 1]!);
      this.keys[2 * place] = keys[2 * slot]!;
      this.keys[2 * place + 1] = keys[2 * slot + 1]!;
      this.values[place] = values[slot]!;
    }
  }
}
