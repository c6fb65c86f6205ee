/** Token ids that are collected without knowing how many there will be. */
export class IdBuffer {
  private ids = new Int32Array(1024);
  private used = 0;
  /** How many are asked for: whoever makes them may pause there. */
  wanted = Infinity;

  get length(): number {
    return this.used;
  }

  get hasWanted(): boolean {
    return this.used >= this.wanted;
  }

  push(id: number): void {
    if (this.used === this.ids.length) this.grow();
    this.ids[this.used++] = id;
  }

  pushAll(ids: readonly number[]): void {
    for (const id of ids) this.push(id);
  }

  /** A copy of those from `begin` to `end`, or to the last one. */
  slice(begin = 0, end = this.used): Int32Array {
    return this.ids.slice(begin, Math.min(end, this.used));
  }

  private grow(): void {
    const grown = new Int32Array(this.ids.length * 2);
    grown.set(this.ids);
    this.ids = grown;
  }
}
