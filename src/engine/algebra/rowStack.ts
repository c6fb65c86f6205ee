import type { Device } from '../runtime/device.ts';
import { DeviceTensor } from '../runtime/deviceTensor.ts';

/** Rows and columns of a tile, but for the last ones. */
const TILE = 128;

/** Where tiles of n rows or columns begin, and n: tiles of `size` at most, so that each holds whole units, or a unit whole tiles. */
export function tileEdges(n: number, unit = 1, size = TILE): number[] {
  const block = unit > size ? unit : size - (size % unit);
  const edges: number[] = [];
  for (let begin = 0; begin < n; begin += block) {
    for (let edge = begin; edge < Math.min(begin + block, n); edge += size) edges.push(edge);
  }
  return [...edges, n];
}

/**
 * Tiles one below the other, to which more come at one end. In this process they lie in one array, so that products over many of them need no
 * copy; on a device each is a tensor of its own.
 */
export class RowStack {
  private readonly array: Float32Array | undefined;
  private readonly tiles: DeviceTensor[] = [];
  /** Columns of each tile. */
  readonly width: number;
  private readonly device: Device;
  private readonly grows: 'up' | 'down';
  private filled = 0;

  /** @param rows that there will be in the end */
  constructor(device: Device, rows: number, width: number, grows: 'up' | 'down') {
    this.array = device.resident ? undefined : new Float32Array(rows * width);
    this.device = device;
    this.width = width;
    this.grows = grows;
  }

  /** How many tiles there are. */
  get height(): number {
    return this.tiles.length;
  }

  /** Where the next tile can be written, which {@link push} then takes; undefined on a device. */
  space(rows: number): DeviceTensor | undefined {
    if (!this.array) return undefined;
    const begin = this.grows === 'down' ? this.filled : this.array.length - this.filled - rows * this.width;
    return DeviceTensor.fromHost(this.array.subarray(begin, begin + rows * this.width), [rows, this.width]);
  }

  /** Pushes values of this process, [rows, width]. */
  async write(values: Float32Array): Promise<DeviceTensor> {
    const rows = values.length / this.width;
    const space = this.space(rows);
    space?.floats().set(values);
    const tile = space ?? (await this.device.upload(values, [rows, this.width], 'float32'));
    this.push(tile);
    return tile;
  }

  /** Takes a tile over. In this process it has been written to the {@link space} for it. */
  push(tile: DeviceTensor): void {
    this.filled += tile.shape[0]! * this.width;
    if (this.grows === 'down') this.tiles.push(tile);
    else this.tiles.unshift(tile);
  }

  /**
   * The first so many tiles, in parts of as many of them as are a power of two, so that products over any number of
   * rows take few programs; on a device one by one.
   */
  parts(count = this.tiles.length): DeviceTensor[] {
    if (!this.array) return this.tiles.slice(0, count);
    const first = this.grows === 'down' ? 0 : this.array.length - this.filled;
    const parts: DeviceTensor[] = [];
    let row = 0;
    for (let i = 0; i < count;) {
      const many = this.wholeTiles(i, count);
      const rows = many === 0 ? this.tiles[i]!.shape[0]! : many * TILE;
      const begin = first + row * this.width;
      const part = this.array.subarray(begin, begin + rows * this.width);
      parts.push(DeviceTensor.fromHost(part, [rows, this.width]));
      row += rows;
      i += many || 1;
    }
    return parts;
  }

  dispose(): void {
    for (const tile of this.tiles) tile.dispose();
  }

  /** The largest power of two of whole tiles from the one at `begin` on. */
  private wholeTiles(begin: number, end: number): number {
    let whole = begin;
    while (whole < end && this.tiles[whole]!.shape[0] === TILE) whole++;
    return whole === begin ? 0 : 2 ** Math.floor(Math.log2(whole - begin));
  }
}
