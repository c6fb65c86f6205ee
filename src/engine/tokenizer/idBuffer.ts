/** Token ids that are collected without knowing how many there will be. */
export class IdBuffer {
  private ids = new Int32Array(1024);
  private used = 0;

  push(id: number): void {
    if (this.used === this.ids.length) this.grow();
    this.ids[this.used++] = id;
  }

  pushAll(ids: readonly number[]): void {
    for (const id of ids) this.push(id);
  }

  toArray(): Int32Array {
    return this.ids.slice(0, this.used);
  }

  private grow(): void {
    const grown = new Int32Array(this.ids.length * 2);
    grown.set(this.ids);
    this.ids = grown;
  }
}
