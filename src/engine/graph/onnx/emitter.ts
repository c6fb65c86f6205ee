import { create } from '@bufbuild/protobuf';
import {
  type AttributeProto,
  AttributeProto_AttributeType,
  AttributeProtoSchema,
  type NodeProto,
  NodeProtoSchema,
  type TensorProto,
  TensorProto_DataType,
  TensorProtoSchema,
} from './onnx_pb.js';
import type { ElementType } from '../elementType.ts';
import { type Shape, sizeOf } from '../shape.ts';

/** Operators of ONNX Runtime's own, beside the standard's (`''`). */
export type Domain = '' | 'com.microsoft';

export type Attributes = Readonly<Record<string, number | readonly number[] | string | { readonly float: number }>>;

export const DATA_TYPES: Readonly<Record<ElementType, TensorProto_DataType>> = {
  float32: TensorProto_DataType.FLOAT,
  float16: TensorProto_DataType.FLOAT16,
  int32: TensorProto_DataType.INT32,
  int64: TensorProto_DataType.INT64,
  bool: TensorProto_DataType.BOOL,
};

/** Collects the nodes and constants of an ONNX graph while primitives are lowered one after the other. */
export class Emitter {
  readonly nodes: NodeProto[] = [];
  readonly initializers: TensorProto[] = [];
  private readonly shared = new Map<string, string>();
  private fresh = 0;

  /** Adds a node with one output and returns its name: `output`, or a new one. */
  node(
    operator: string,
    inputs: readonly string[],
    attributes: Attributes = {},
    options: { readonly domain?: Domain; readonly output?: string } = {},
  ): string {
    return this.allOutputs(operator, inputs, attributes, 1, options)[0]!;
  }

  /** Adds a node with several outputs and returns their names; the first is `output`, where it is given. */
  allOutputs(
    operator: string,
    inputs: readonly string[],
    attributes: Attributes,
    count: number,
    { domain = '', output }: { readonly domain?: Domain; readonly output?: string } = {},
  ): string[] {
    const outputs = Array.from({ length: count }, (_, i) => (i === 0 ? output : undefined) ?? this.name());
    const attribute = Object.entries(attributes).map(([name, value]) => attributeProto(name, value));
    this.nodes.push(
      create(NodeProtoSchema, { input: [...inputs], output: outputs, opType: operator, domain, attribute }),
    );
    return outputs;
  }

  /** An int64 vector: axes, target shapes, and the like. */
  integers(values: readonly number[]): string {
    return this.constant('int64', [values.length], values);
  }

  constant(type: ElementType, shape: Shape, data: readonly number[], name = this.name()): string {
    const dims = shape.map(BigInt);
    const rawData = rawBytes(type, sizeOf(shape), data);
    this.initializers.push(create(TensorProtoSchema, { dims, dataType: DATA_TYPES[type], name, rawData }));
    return name;
  }

  /** What several primitives need, written when the first one asks for it. @param key says what it is */
  once(key: string, write: () => string): string {
    const name = this.shared.get(key) ?? write();
    this.shared.set(key, name);
    return name;
  }

  private name(): string {
    return `t${this.fresh++}`;
  }
}

function attributeProto(name: string, value: Attributes[string]): AttributeProto {
  if (typeof value === 'string') {
    const s = new TextEncoder().encode(value);
    return create(AttributeProtoSchema, { name, type: AttributeProto_AttributeType.STRING, s });
  }
  if (typeof value === 'number') {
    return create(AttributeProtoSchema, { name, type: AttributeProto_AttributeType.INT, i: BigInt(value) });
  }
  if ('float' in value) {
    return create(AttributeProtoSchema, { name, type: AttributeProto_AttributeType.FLOAT, f: value.float });
  }
  return create(AttributeProtoSchema, { name, type: AttributeProto_AttributeType.INTS, ints: value.map(BigInt) });
}

/** Little-endian elements; one given element fills the whole tensor. float16 constants are written as float32 and cast. */
function rawBytes(type: ElementType, size: number, data: readonly number[]): Uint8Array {
  const at = (index: number): number => (data.length === 1 ? data[0]! : data[index]!);
  const elements =
    type === 'int64'
      ? BigInt64Array.from({ length: size }, (_, i) => BigInt(at(i)))
      : type === 'int32'
        ? Int32Array.from({ length: size }, (_, i) => at(i))
        : type === 'bool'
          ? Uint8Array.from({ length: size }, (_, i) => at(i))
          : Float32Array.from({ length: size }, (_, i) => at(i));
  return new Uint8Array(elements.buffer);
}
