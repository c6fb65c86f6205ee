import { create, toBinary } from '@bufbuild/protobuf';
import { VERSION } from '../../../base/version.ts';
import type { Value } from '../../graph/graph.ts';
import { type Attributes, DATA_TYPES, Emitter } from '../../graph/onnx/emitter.ts';
import {
  ModelProtoSchema,
  StringStringEntryProtoSchema,
  TensorProto_DataLocation,
  TensorProtoSchema,
  type TensorShapeProto_Dimension,
  TensorShapeProto_DimensionSchema,
  ValueInfoProtoSchema,
} from '../../graph/onnx/onnx_pb.js';
import type { RowOperations } from '../../families/family.ts';

/** Operator set of the ONNX standard that exported models use; nothing else is used. Part of the documentation. */
export const OPSET = 21;
const IR_VERSION = 10n;

/** A tensor in a file of weights beside the graph. */
export interface StoredTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly file: string;
  readonly offset: number;
}

/** What comes into a graph, or goes out of it; a dimension with a name is free. */
export interface GraphPort {
  readonly name: string;
  readonly type: 'int64' | 'float32';
  readonly dims: readonly (string | number)[];
}

/** What a model file has beside the nodes. */
export interface GraphFile {
  readonly stored: readonly StoredTensor[];
  readonly inputs: readonly GraphPort[];
  readonly outputs: readonly GraphPort[];
  readonly metadata: Readonly<Record<string, string>>;
}

/**
 * An ONNX graph that works for any number of rows. What families write with ({@link RowOperations}) is written for one row, since all
 * of it treats rows alike; the rest is named by ONNX's own operators.
 */
export class OnnxGraph implements RowOperations {
  readonly emit = new Emitter();
  /** Names of the tensors that values of one row stand for. */
  private readonly names = new Map<Value, string>();
  private nextId = 0;

  /** A tensor [rows, …width] of the graph as the families see it: one row of it. */
  rows(name: string, width: number): Value {
    return this.value(name, [1, width]);
  }

  /** A weight. */
  weight(name: string, shape: readonly number[]): Value {
    return this.value(name, shape);
  }

  nameOf(value: Value): string {
    return this.names.get(value)!;
  }

  node(operator: string, inputs: readonly string[], attributes: Attributes = {}): string {
    return this.emit.node(operator, inputs, attributes);
  }

  add = (a: Value, b: Value): Value => this.apply('Add', [a, b]);
  mul = (a: Value, b: Value): Value => this.apply('Mul', [a, b]);
  div = (a: Value, b: Value): Value => this.apply('Div', [a, b]);
  sigmoid = (x: Value): Value => this.apply('Sigmoid', [x]);
  softmax = (x: Value): Value => this.apply('Softmax', [x], { axis: -1 });
  sumOfRow = (x: Value): Value =>
    this.value(this.node('ReduceSum', [this.nameOf(x), this.emit.integers([1])], { keepdims: 1 }), [1, 1]);
  clip = (x: Value, bound: number): Value => {
    const limits = [-bound, bound].map((limit) => this.emit.constant('float32', [], [limit]));
    return this.value(this.node('Clip', [this.nameOf(x), ...limits]), x.shape);
  };
  /** 1 at the k largest elements of each row, else 0. */
  largest = (x: Value, k: number): Value => {
    const name = this.nameOf(x);
    const [, indices] = this.emit.allOutputs('TopK', [name, this.emit.integers([k])], { axis: -1 }, 2);
    const fill = (value: number, like: string): string =>
      this.node('Expand', [this.emit.constant('float32', [], [value]), this.node('Shape', [like])]);
    const scattered = this.node('ScatterElements', [fill(0, name), indices!, fill(1, indices!)], { axis: 1 });
    return this.value(scattered, x.shape);
  };
  /** The rows of x where chosen [rows, 1] is not 0. */
  takeRows = (x: Value, chosen: Value): Value =>
    this.value(this.node('Gather', [this.nameOf(x), this.places(chosen, [-1])]), x.shape);
  /** x with rows added where chosen is not 0. */
  addRows = (x: Value, rows: Value, chosen: Value): Value => {
    const inputs = [this.nameOf(x), this.places(chosen, [-1, 1]), this.nameOf(rows)];
    return this.value(this.node('ScatterND', inputs, { reduction: 'add' }), x.shape);
  };
  relu = (x: Value): Value => this.apply('Relu', [x]);
  gelu = (x: Value, approximate: boolean): Value =>
    this.apply('Gelu', [x], { approximate: approximate ? 'tanh' : 'none' });
  silu = (x: Value): Value => this.mul(x, this.apply('Sigmoid', [x]));
  linear = (x: Value, weight: Value, bias?: Value): Value =>
    this.value(
      this.node(
        'Gemm',
        [x, weight, ...(bias ? [bias] : [])].map((value) => this.nameOf(value)),
        { transB: 1 },
      ),
      [1, weight.shape[0]!],
    );
  tanh = (x: Value): Value => this.apply('Tanh', [x]);
  constant = (data: readonly number[], shape: readonly number[]): Value =>
    this.value(this.emit.constant('float32', shape, data), shape);
  concat = (parts: readonly Value[], axis: number): Value => {
    const name = this.node(
      'Concat',
      parts.map((part) => this.nameOf(part)),
      { axis },
    );
    const size = parts.reduce((sum, { shape }) => sum + shape[axis]!, 0);
    return this.value(name, parts[0]!.shape.with(axis, size));
  };
  layerNorm = (x: Value, weight: Value, bias: Value | undefined, epsilon: number): Value =>
    this.apply('LayerNormalization', bias ? [x, weight, bias] : [x, weight], { axis: -1, epsilon: { float: epsilon } });
  /** x / sqrt(mean(x²) + ε) · weight, spelled out: as one operator it is younger than most runtimes. */
  rmsNorm = (x: Value, weight: Value, epsilon: number): Value => {
    const name = this.nameOf(x);
    const square = this.node('Pow', [name, this.emit.constant('float32', [], [2])]);
    const mean = this.node('ReduceMean', [square, this.emit.integers([-1])], { keepdims: 1 });
    const root = this.node('Sqrt', [this.node('Add', [mean, this.emit.constant('float32', [], [epsilon])])]);
    return this.value(this.node('Mul', [this.node('Div', [name, root]), this.nameOf(weight)]), x.shape);
  };
  /** Rows may become several or one of several: only the width is said. */
  reshape = (x: Value, shape: readonly number[]): Value =>
    this.value(this.node('Reshape', [this.nameOf(x), this.emit.integers([-1, shape[1]!])]), shape);

  slice = (x: Value, axis: number, begin: number, end: number): Value =>
    this.value(
      this.node('Slice', [this.nameOf(x), ...[begin, end, axis].map((at) => this.emit.integers([at]))]),
      x.shape.with(axis, end - begin),
    );

  /** The model file; weights lie in files beside it. */
  encode({ stored, inputs, outputs, metadata }: GraphFile): Uint8Array {
    const entry = (key: string, value: string) => create(StringStringEntryProtoSchema, { key, value });
    const external = stored.map(({ name, shape, file, offset }) =>
      create(TensorProtoSchema, {
        name,
        dims: shape.map(BigInt),
        dataType: DATA_TYPES.float32,
        dataLocation: TensorProto_DataLocation.EXTERNAL,
        externalData: [
          entry('location', file),
          entry('offset', String(offset)),
          entry('length', String(4 * shape.reduce((product, size) => product * size, 1))),
        ],
      }),
    );
    const info = ({ name, type, dims }: GraphPort) =>
      create(ValueInfoProtoSchema, {
        name,
        type: {
          value: { case: 'tensorType', value: { elemType: DATA_TYPES[type], shape: { dim: dims.map(dimension) } } },
        },
      });
    return toBinary(
      ModelProtoSchema,
      create(ModelProtoSchema, {
        irVersion: IR_VERSION,
        producerName: 'espalier',
        producerVersion: VERSION,
        opsetImport: [{ domain: '', version: BigInt(OPSET) }],
        metadataProps: Object.entries(metadata).map(([key, value]) => entry(key, value)),
        graph: {
          name: 'model',
          node: this.emit.nodes,
          initializer: [...external, ...this.emit.initializers],
          input: inputs.map(info),
          output: outputs.map(info),
        },
      }),
    );
  }

  private places(chosen: Value, shape: readonly number[]): string {
    const flat = this.node('Reshape', [this.nameOf(chosen), this.emit.integers([-1])]);
    return this.node('Reshape', [this.node('NonZero', [flat]), this.emit.integers(shape)]);
  }

  private apply(operator: string, inputs: readonly Value[], attributes: Attributes = {}): Value {
    const name = this.node(
      operator,
      inputs.map((input) => this.nameOf(input)),
      attributes,
    );
    return this.value(name, inputs[0]!.shape);
  }

  private value(name: string, shape: readonly number[]): Value {
    const value: Value = { id: this.nextId++, type: 'float32', shape };
    this.names.set(value, name);
    return value;
  }
}

function dimension(size: string | number): TensorShapeProto_Dimension {
  return create(TensorShapeProto_DimensionSchema, {
    value: typeof size === 'string' ? { case: 'dimParam', value: size } : { case: 'dimValue', value: BigInt(size) },
  });
}
