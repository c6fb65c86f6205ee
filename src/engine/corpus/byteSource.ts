/** Bytes that come in portions, taken as they are needed. */
export class ByteSource {
  private readonly chunks: AsyncIterator<Uint8Array>;
  private chunk: Uint8Array = new Uint8Array();
  private at = 0;

  constructor(chunks: AsyncIterable<Uint8Array>) {
    this.chunks = chunks[Symbol.asyncIterator]();
  }

  async isAtEnd(): Promise<boolean> {
    while (this.at === this.chunk.length) {
      const next = await this.chunks.next();
      if (next.done) return true;
      this.chunk = next.value;
      this.at = 0;
    }
    return false;
  }

  /** A copy of the next bytes. @throws Error where fewer are left */
  async take(length: number): Promise<Uint8Array> {
    const taken = new Uint8Array(length);
    for (let at = 0; at < length;) {
      const part = await this.next(length - at);
      taken.set(part, at);
      at += part.length;
    }
    return taken;
  }

  /** @throws Error where fewer are left */
  async skip(length: number): Promise<void> {
    for (let left = length; left > 0;) left -= (await this.next(left)).length;
  }

  private async next(most: number): Promise<Uint8Array> {
    if (await this.isAtEnd()) throw new Error('its end too early');
    const part = this.chunk.subarray(this.at, this.at + most);
    this.at += part.length;
    return part;
  }
}
