import { decodeWhole } from './decodeUtf8.ts';
import type { FlatTable } from './flatTable.ts';

/** A column of a schema. */
export interface ArrowColumn {
  readonly name: string;
  readonly kind: Kind;
  readonly children: readonly ArrowColumn[];
}

type Kind =
  | { readonly is: 'null' }
  | { readonly is: 'bool' }
  | { readonly is: 'struct' }
  | { readonly is: 'text' | 'list'; readonly large: boolean }
  | { readonly is: 'fixed-list'; readonly size: number }
  | { readonly is: 'number'; readonly width: number; readonly read: (view: DataView, at: number) => number | bigint };

const MOST_COLUMNS = 1024;
/** Values of a batch, in all columns: of nothing any number takes no bytes. */
const MOST_VALUES = 2 ** 24;

/** Reads a field of a schema; what of it is not read is named, behind "got". @param counter of columns read so far */
export function arrowColumn(field: FlatTable, counter: { columns: number }): ArrowColumn | string {
  const name = field.text(0);
  if (++counter.columns > MOST_COLUMNS) return `more than ${MOST_COLUMNS} columns`;
  if (field.table(4)) return `a dictionary for column ${name}`;
  const type = field.byte(2);
  const kind = KINDS[type]?.(field.table(3));
  if (!kind) return `column ${name}, of type ${type}`;
  const children: ArrowColumn[] = [];
  for (const child of field.tables(5)) {
    const column = arrowColumn(child, counter);
    if (typeof column === 'string') return column;
    children.push(column);
  }
  if ((kind.is === 'list' || kind.is === 'fixed-list') && children.length !== 1) return `a list of ${children.length}`;
  return { name, kind, children };
}

type ReadKind = (type: FlatTable | undefined) => Kind | undefined;

/** By the number of a type (Schema.fbs). */
const KINDS: Readonly<Record<number, ReadKind>> = {
  1: () => ({ is: 'null' }),
  2: (type) => integerOf(type?.int(0) ?? 0, type?.byte(1) === 1),
  3: (type) => FLOATS[type?.short(0) ?? 0],
  5: () => ({ is: 'text', large: false }),
  6: () => ({ is: 'bool' }),
  12: () => ({ is: 'list', large: false }),
  13: () => ({ is: 'struct' }),
  16: (type) => ({ is: 'fixed-list', size: type?.int(0) ?? 0 }),
  20: () => ({ is: 'text', large: true }),
  21: () => ({ is: 'list', large: true }),
};

const FLOATS: Readonly<Record<number, Kind>> = {
  1: { is: 'number', width: 4, read: (view, at) => view.getFloat32(at, true) },
  2: { is: 'number', width: 8, read: (view, at) => view.getFloat64(at, true) },
};

function integerOf(bits: number, isSigned: boolean): Kind | undefined {
  const read = INTEGERS[`${isSigned ? '' : 'u'}${bits}`];
  return read && { is: 'number', width: bits / 8, read };
}

const INTEGERS: Readonly<Record<string, (view: DataView, at: number) => number | bigint>> = {
  8: (view, at) => view.getInt8(at),
  16: (view, at) => view.getInt16(at, true),
  32: (view, at) => view.getInt32(at, true),
  64: (view, at) => wholeNumber(view.getBigInt64(at, true)),
  u8: (view, at) => view.getUint8(at),
  u16: (view, at) => view.getUint16(at, true),
  u32: (view, at) => view.getUint32(at, true),
  u64: (view, at) => wholeNumber(view.getBigUint64(at, true)),
};

/** The values of a batch of records, column by column in the order of the schema. */
export class BatchValues {
  private readonly nodes: Iterator<readonly [number, number]>;
  private readonly buffers: Iterator<readonly [number, number]>;
  private readonly body: Uint8Array;
  private values = 0;

  /** @param nodes length and number of nulls of each column @param buffers where each part of a column is, and how long */
  constructor(
    nodes: readonly (readonly [number, number])[],
    buffers: readonly (readonly [number, number])[],
    body: Uint8Array,
  ) {
    this.nodes = nodes[Symbol.iterator]();
    this.buffers = buffers[Symbol.iterator]();
    this.body = body;
  }

  /** @throws Error for what is no such column */
  column({ kind, children }: ArrowColumn): readonly unknown[] {
    const [length, nulls] = next(this.nodes, 'a column without its length');
    this.values += length;
    if (this.values > MOST_VALUES) throw new Error(`more than ${MOST_VALUES} values in a batch`);
    if (kind.is === 'null') return Array.from({ length }, () => null);
    const validity = this.buffer();
    const isThere = (i: number): boolean => bitOf(validity, i);
    const all = this.stored(kind, children, length);
    return nulls === 0 || validity.byteLength === 0 ? all : all.map((value, i) => (isThere(i) ? value : null));
  }

  private stored(
    kind: Exclude<Kind, { readonly is: 'null' }>,
    children: readonly ArrowColumn[],
    length: number,
  ): readonly unknown[] {
    switch (kind.is) {
      case 'bool': {
        const bits = this.buffer();
        return Array.from({ length }, (_, i) => bitOf(bits, i));
      }
      case 'number': {
        const view = this.buffer();
        return Array.from({ length }, (_, i) => kind.read(view, kind.width * i));
      }
      case 'text': {
        const begins = offsets(this.buffer(), length, kind.large);
        const { buffer, byteOffset, byteLength } = this.buffer();
        const bytes = new Uint8Array(buffer, byteOffset, byteLength);
        if ((begins.at(-1) ?? 0) > byteLength) throw new Error('texts longer than their buffer');
        return Array.from({ length }, (_, i) => textOf(bytes.subarray(begins[i], begins[i + 1])));
      }
      case 'list': {
        const begins = offsets(this.buffer(), length, kind.large);
        const items = this.column(children[0]!);
        if ((begins.at(-1) ?? 0) > items.length) throw new Error('lists longer than what is in them');
        return Array.from({ length }, (_, i) => items.slice(begins[i], begins[i + 1]));
      }
      case 'fixed-list': {
        const items = this.column(children[0]!);
        if (kind.size < 0 || kind.size * length > items.length) throw new Error('lists longer than what is in them');
        return Array.from({ length }, (_, i) => items.slice(kind.size * i, kind.size * (i + 1)));
      }
      case 'struct': {
        const columns = children.map((child) => this.column(child));
        if (columns.some((column) => column.length !== length)) throw new Error('columns of different lengths');
        return Array.from({ length }, (_, i) =>
          Object.fromEntries(children.map(({ name }, column) => [name, columns[column]![i]])),
        );
      }
    }
  }

  private buffer(): DataView {
    const [begin, length] = next(this.buffers, 'a column without its values');
    if (begin + length > this.body.length) throw new Error('values behind the end of their batch');
    return new DataView(this.body.buffer, this.body.byteOffset + begin, length);
  }
}

function next<Item>(items: Iterator<Item>, problem: string): Item {
  const result = items.next();
  if (result.done) throw new Error(problem);
  return result.value;
}

/** Where each item begins, and the end of the last; never one before the other. A column without rows may have none. */
function offsets(view: DataView, length: number, large: boolean): readonly number[] {
  if (length === 0) return [];
  let last = 0;
  return Array.from({ length: length + 1 }, (_, i) => {
    const begin = large ? Number(view.getBigInt64(8 * i, true)) : view.getInt32(4 * i, true);
    if (!(begin >= last)) throw new Error('items that end before they begin');
    last = begin;
    return begin;
  });
}

function bitOf(view: DataView, i: number): boolean {
  return ((view.getUint8(i >> 3) >> (i & 7)) & 1) === 1;
}

function textOf(bytes: Uint8Array): string {
  const text = decodeWhole(bytes, false);
  if (text === undefined) throw new Error('a text that is not UTF-8');
  return text;
}

function wholeNumber(value: bigint): number | bigint {
  return Number.isSafeInteger(Number(value)) ? Number(value) : value;
}
