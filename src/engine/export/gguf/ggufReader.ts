import { closeSync, readSync } from 'node:fs';
import { EspalierError } from '../../../base/errors.ts';
import { openToReadSync } from '../../../files/openRegular.ts';
import { elementCount } from '../../checkpoint/elementTypes.ts';
import { ELEMENT_FORMS, encodedBytes, ggmlTypeOf } from './elements.ts';
import { aligned, type GgufValue, MAGIC, type TensorInfo, VALUE_TYPES, VERSION } from './layout.ts';

/** A GGUF file as {@link GgufWriter} writes it: of other kinds of values and types of elements none is read. */
export class GgufReader {
  readonly metadata = new Map<string, GgufValue>();
  readonly tensors = new Map<string, TensorInfo & { readonly offset: number }>();
  private readonly file: string;
  private readonly descriptor: number;
  private readonly data: number;

  /** @throws EspalierError `export/mismatch` where it is none */
  constructor(file: string) {
    this.file = file;
    this.descriptor = openToReadSync(file);
    try {
      const head = new Cursor(this.descriptor, (what) => this.wrong(what));
      if (head.text(4) !== MAGIC || head.uint32() !== VERSION) throw this.wrong('another format or version');
      const [tensors, values] = [head.uint64(), head.uint64()];
      for (let i = 0; i < values; i++) this.metadata.set(head.string(), head.value());
      for (let i = 0; i < tensors; i++) {
        const name = head.string();
        const shape = Array.from({ length: head.uint32() }, () => head.uint64()).reverse();
        const type = ggmlTypeOf(head.uint32());
        if (type === undefined) throw this.wrong(`${name} of another type`);
        this.tensors.set(name, { name, type, shape, offset: head.uint64() });
      }
      this.data = aligned(head.at);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** Rows of a matrix, or a whole vector, as float32. */
  read(name: string, first = 0, count?: number): Float32Array {
    const tensor = this.tensors.get(name);
    if (!tensor) throw this.wrong(`no ${name}`);
    const columns = tensor.shape.at(-1)!;
    const rows = count ?? elementCount(tensor.shape)! / columns;
    const { type, offset } = tensor;
    const bytes = new Uint8Array(encodedBytes(type, rows * columns));
    readWhole(this.descriptor, bytes, this.data + offset + encodedBytes(type, first * columns), (what) =>
      this.wrong(what),
    );
    return ELEMENT_FORMS[type].decode(bytes);
  }

  close(): void {
    closeSync(this.descriptor);
  }

  private wrong(actual: string): EspalierError {
    return new EspalierError({
      code: 'export/mismatch',
      operation: `reading ${this.file}`,
      expected: 'a GGUF file as it was written',
      actual,
      remedy: 'Nothing was saved. This is a defect of Espalier or of the disk: try another folder, and report it.',
      file: this.file,
    });
  }
}

type Refuse = (actual: string) => EspalierError;

/** Bytes that are read of the head at a time. */
const PORTION = 1 << 20;

class Cursor {
  /** Byte of the file. */
  at = 0;
  private readonly descriptor: number;
  private readonly refuse: Refuse;
  private portion = Buffer.alloc(0);
  private begin = 0;

  constructor(descriptor: number, refuse: Refuse) {
    this.descriptor = descriptor;
    this.refuse = refuse;
  }

  text(length: number): string {
    return this.take(length).toString('utf8');
  }

  string(): string {
    return this.text(this.uint64());
  }

  uint32(): number {
    return this.take(4).readUInt32LE();
  }

  uint64(): number {
    return Number(this.take(8).readBigUInt64LE());
  }

  value(): GgufValue {
    switch (this.uint32()) {
      case VALUE_TYPES.uint32:
        return { kind: 'uint32', value: this.uint32() };
      case VALUE_TYPES.float32:
        return { kind: 'float32', value: this.float32() };
      case VALUE_TYPES.boolean:
        return { kind: 'boolean', value: this.take(1)[0] !== 0 };
      case VALUE_TYPES.string:
        return { kind: 'string', value: this.string() };
      case VALUE_TYPES.array:
        return this.list();
      default:
        throw this.refuse('a value of another type');
    }
  }

  private list(): GgufValue {
    const type = this.uint32();
    const length = this.uint64();
    const items = <Item>(read: () => Item): Item[] => Array.from({ length }, read);
    switch (type) {
      case VALUE_TYPES.string:
        return { kind: 'strings', value: items(() => this.string()) };
      case VALUE_TYPES.int32:
        return { kind: 'int32s', value: items(() => this.take(4).readInt32LE()) };
      case VALUE_TYPES.uint32:
        return { kind: 'uint32s', value: items(() => this.uint32()) };
      case VALUE_TYPES.float32:
        return { kind: 'float32s', value: items(() => this.float32()) };
      default:
        throw this.refuse('a list of another type');
    }
  }

  private float32(): number {
    return this.take(4).readFloatLE();
  }

  private take(length: number): Buffer {
    const end = this.at + length;
    if (end > this.begin + this.portion.length) {
      this.begin = this.at;
      const bytes = Buffer.alloc(Math.max(length, PORTION));
      this.portion = bytes.subarray(0, readUpTo(this.descriptor, bytes, this.at));
      if (this.portion.length < length) throw this.refuse('an end in its head');
    }
    const taken = this.portion.subarray(this.at - this.begin, end - this.begin);
    this.at = end;
    return taken;
  }
}

function readWhole(descriptor: number, into: Uint8Array, position: number, refuse: Refuse): void {
  if (readUpTo(descriptor, into, position) < into.length) throw refuse('an end in its tensors');
}

/** @returns bytes that there were */
function readUpTo(descriptor: number, into: Uint8Array, position: number): number {
  let at = 0;
  for (let more = -1; at < into.length && more !== 0; at += more) {
    more = readSync(descriptor, into, at, into.length - at, position + at);
  }
  return at;
}
