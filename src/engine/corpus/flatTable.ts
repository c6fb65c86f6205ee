/**
 * A table of a FlatBuffer (flatbuffers.dev, internals): where its fields are stands in a table of its own before it. What lies outside of the buffer is
 * a RangeError; of nothing is more made than the buffer has.
 */
export class FlatTable {
  private readonly view: DataView;
  private readonly at: number;

  private constructor(view: DataView, at: number) {
    this.view = view;
    this.at = at;
  }

  static root(bytes: Uint8Array): FlatTable {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return new FlatTable(view, view.getUint32(0, true));
  }

  byte(field: number, otherwise = 0): number {
    return this.read(field, otherwise, (at) => this.view.getUint8(at));
  }

  short(field: number, otherwise = 0): number {
    return this.read(field, otherwise, (at) => this.view.getInt16(at, true));
  }

  int(field: number, otherwise = 0): number {
    return this.read(field, otherwise, (at) => this.view.getInt32(at, true));
  }

  long(field: number, otherwise = 0): number {
    return this.read(field, otherwise, (at) => sizeAt(this.view, at));
  }

  table(field: number): FlatTable | undefined {
    return this.read(field, undefined, (at) => new FlatTable(this.view, this.target(at)));
  }

  tables(field: number): readonly FlatTable[] {
    return this.vector(field, 4, (at) => new FlatTable(this.view, this.target(at)));
  }

  /** Structs of two longs, such as lengths and offsets. */
  pairs(field: number): readonly (readonly [number, number])[] {
    return this.vector(field, 16, (at) => [sizeAt(this.view, at), sizeAt(this.view, at + 8)] as const);
  }

  text(field: number): string {
    return Buffer.from(this.vector(field, 1, (at) => this.view.getUint8(at))).toString('utf8');
  }

  private vector<Item>(field: number, width: number, item: (at: number) => Item): readonly Item[] {
    return this.read<readonly Item[]>(field, [], (at) => {
      const begin = this.target(at);
      const length = this.view.getUint32(begin, true);
      if (begin + 4 + width * length > this.view.byteLength) throw new RangeError(`${length} items behind the end`);
      return Array.from({ length }, (_, i) => item(begin + 4 + width * i));
    });
  }

  private read<Value>(field: number, otherwise: Value, value: (at: number) => Value): Value {
    const { view, at } = this;
    const fields = at - view.getInt32(at, true);
    const entry = 4 + 2 * field;
    const offset = entry < view.getUint16(fields, true) ? view.getUint16(fields + entry, true) : 0;
    return offset === 0 ? otherwise : value(at + offset);
  }

  private target(at: number): number {
    return at + this.view.getUint32(at, true);
  }
}

function sizeAt(view: DataView, at: number): number {
  const size = Number(view.getBigInt64(at, true));
  if (!Number.isSafeInteger(size) || size < 0) throw new RangeError(`${size} for a size`);
  return size;
}
